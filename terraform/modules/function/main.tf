# A function with its own role and log group. The role may write to that log group and do what `policy_statements` allow,
# nothing else.

data "aws_caller_identity" "current" {}

locals {
  trust_policy = {
    Version = "2012-10-17"
    Statement = [{
      Sid       = "LambdaOfThisAccount"
      Effect    = "Allow"
      Principal = { Service = "lambda.amazonaws.com" }
      Action    = "sts:AssumeRole"
      Condition = { StringEquals = { "aws:SourceAccount" = data.aws_caller_identity.current.account_id } }
    }]
  }

  policy = {
    Version = "2012-10-17"
    Statement = concat(
      [{
        Sid      = "WriteLogs"
        Effect   = "Allow"
        Action   = ["logs:CreateLogStream", "logs:PutLogEvents"]
        Resource = ["${aws_cloudwatch_log_group.this.arn}:*"]
      }],
      # X-Ray actions do not support resources.
      var.tracing ? [{
        Sid      = "WriteTraces"
        Effect   = "Allow"
        Action   = ["xray:PutTraceSegments", "xray:PutTelemetryRecords"]
        Resource = ["*"]
      }] : [],
      [for statement in var.policy_statements : merge(
        {
          Sid      = statement.sid
          Effect   = "Allow"
          Action   = statement.actions
          Resource = statement.resources
        },
        length(statement.condition) > 0 ? { Condition = statement.condition } : {},
      )],
    )
  }
}

resource "aws_cloudwatch_log_group" "this" {
  name              = var.log_group
  retention_in_days = var.log_retention_days
  kms_key_id        = var.kms_key_arn
  tags              = var.tags
}

resource "aws_iam_role" "this" {
  name                 = var.role_name
  path                 = var.role_path
  permissions_boundary = var.permissions_boundary_arn
  description          = "Execution role of the function ${var.name}"
  assume_role_policy   = jsonencode(local.trust_policy)
  tags                 = var.tags
}

resource "aws_iam_role_policy" "this" {
  name   = "work"
  role   = aws_iam_role.this.id
  policy = jsonencode(local.policy)
}

# Code and layer are updated by two requests, and the provider sends the layer first. Until the second one, the code refuses
# to work with a layer of another build (image_converter/layer.py): it fails with LayerMismatch, or while it is imported,
# before it reads, writes or deletes anything. The state machine's retries outlast that (a test adds up their waits), the
# queue delivers its messages again minutes later, and an upload by HTTP gets a 503, or a 500 if the import fails. With
# SnapStart, the alias moves once both are updated.
# https://github.com/hashicorp/terraform-provider-aws/blob/v5.100.0/internal/service/lambda/function.go
resource "aws_lambda_function" "this" {
  # checkov:skip=CKV_AWS_116:The queue and the state machine keep failed work; report_failure alone is invoked asynchronously, and its errors raise an alarm
  # checkov:skip=CKV_AWS_117:Only calls AWS's public endpoints, signed and over TLS; a VPC would only add cost
  # checkov:skip=CKV_AWS_272:Code comes from the machine that runs apply, pinned by its hash
  function_name                  = var.name
  description                    = var.description
  role                           = aws_iam_role.this.arn
  handler                        = var.handler
  runtime                        = var.runtime
  architectures                  = [var.architecture]
  filename                       = var.package.file
  source_code_hash               = var.package.hash
  s3_bucket                      = var.package.bucket
  s3_key                         = var.package.key
  layers                         = var.layers
  memory_size                    = var.memory_mb
  timeout                        = var.timeout_seconds
  reserved_concurrent_executions = coalesce(var.reserved_concurrency, -1)
  kms_key_arn                    = var.kms_key_arn
  tags                           = var.tags

  # Snapshots only exist for published versions.
  publish = var.snap_start

  dynamic "snap_start" {
    for_each = var.snap_start ? ["PublishedVersions"] : []

    content {
      apply_on = snap_start.value
    }
  }

  environment {
    variables = var.environment
  }

  logging_config {
    log_format       = var.log_format
    log_group        = aws_cloudwatch_log_group.this.name
    system_log_level = var.log_format == "JSON" ? var.system_log_level : null
  }

  tracing_config {
    mode = var.tracing ? "Active" : "PassThrough"
  }

  # The first invocation already needs the permissions.
  depends_on = [aws_iam_role_policy.this]
}

# With SnapStart, callers use this alias of the newest published version.
resource "aws_lambda_alias" "snapshot" {
  count = var.snap_start ? 1 : 0

  name             = "snapshot"
  description      = "The newest version, started from its snapshot"
  function_name    = aws_lambda_function.this.function_name
  function_version = aws_lambda_function.this.version
}
