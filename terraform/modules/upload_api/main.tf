# The HTTP API in front of the upload function: POST /upload for images, POST /upload-url for presigned forms to upload
# larger ones. Both are authorised, throttled and logged. Any other request gets a 404.

locals {
  routes = {
    upload     = "POST /upload"
    upload_url = "POST /upload-url"
  }

  # A token, or a signature by SigV4.
  cors_headers = ["authorization", "content-type", "x-amz-content-sha256", "x-amz-date", "x-amz-security-token"]

  access_log = {
    requestId        = "$context.requestId"
    time             = "$context.requestTime"
    sourceIp         = "$context.identity.sourceIp"
    caller           = "$context.identity.caller"
    routeKey         = "$context.routeKey"
    status           = "$context.status"
    error            = "$context.error.message"
    integrationError = "$context.integrationErrorMessage"
    responseLength   = "$context.responseLength"
    responseLatency  = "$context.responseLatency"
  }
}

resource "aws_apigatewayv2_api" "this" {
  name          = var.name
  description   = "Accepts images by POST /upload"
  protocol_type = "HTTP"

  # API Gateway answers the browsers' preflight requests itself, without authorization.
  dynamic "cors_configuration" {
    for_each = length(var.cors_origins) > 0 ? [var.cors_origins] : []

    content {
      allow_origins = cors_configuration.value
      allow_methods = ["POST"]
      allow_headers = local.cors_headers
      max_age       = 3600
    }
  }
  tags = var.tags
}

resource "aws_apigatewayv2_integration" "upload" {
  api_id                 = aws_apigatewayv2_api.this.id
  integration_type       = "AWS_PROXY"
  integration_uri        = var.function_invoke_arn
  payload_format_version = "2.0"
}

resource "aws_apigatewayv2_authorizer" "jwt" {
  count = var.jwt == null ? 0 : 1

  api_id           = aws_apigatewayv2_api.this.id
  name             = "jwt"
  authorizer_type  = "JWT"
  identity_sources = ["$request.header.Authorization"]

  jwt_configuration {
    issuer   = var.jwt.issuer
    audience = var.jwt.audience
  }
}

resource "aws_apigatewayv2_route" "this" {
  for_each = local.routes

  api_id               = aws_apigatewayv2_api.this.id
  route_key            = each.value
  target               = "integrations/${aws_apigatewayv2_integration.upload.id}"
  authorization_type   = var.jwt == null ? "AWS_IAM" : "JWT"
  authorizer_id        = one(aws_apigatewayv2_authorizer.jwt[*].id)
  authorization_scopes = try(var.jwt.scopes, null)
}

resource "aws_cloudwatch_log_group" "access" {
  name              = var.log_group
  retention_in_days = var.log_retention_days
  kms_key_id        = var.kms_key_arn
  tags              = var.tags
}

resource "aws_apigatewayv2_stage" "default" {
  api_id      = aws_apigatewayv2_api.this.id
  name        = "$default"
  auto_deploy = true
  tags        = var.tags

  default_route_settings {
    throttling_rate_limit  = var.requests_per_second
    throttling_burst_limit = var.burst
  }

  access_log_settings {
    destination_arn = aws_cloudwatch_log_group.access.arn
    format          = jsonencode(local.access_log)
  }
}

resource "aws_lambda_permission" "this" {
  for_each = local.routes

  statement_id  = "upload-api-${replace(each.key, "_", "-")}"
  action        = "lambda:InvokeFunction"
  function_name = var.function_name
  qualifier     = var.function_qualifier
  principal     = "apigateway.amazonaws.com"
  source_arn    = "${aws_apigatewayv2_api.this.execution_arn}/*/${replace(each.value, " ", "")}"
}
