# A state machine with its own role and log group. The role may invoke the given functions, do what the given statements
# say, and deliver logs and traces, nothing else.

data "aws_caller_identity" "current" {}

locals {
  trust_policy = {
    Version = "2012-10-17"
    Statement = [{
      Sid       = "ThisStateMachine"
      Effect    = "Allow"
      Principal = { Service = "states.amazonaws.com" }
      Action    = "sts:AssumeRole"
      Condition = {
        StringEquals = { "aws:SourceAccount" = data.aws_caller_identity.current.account_id }
        # The children of a Distributed Map act as the state machine NAME/LABEL.
        ArnLike = { "aws:SourceArn" = concat([var.arn], var.has_map_runs ? ["${var.arn}/*"] : []) }
      }
    }]
  }

  policy = {
    Version = "2012-10-17"
    Statement = concat(
      [for functions in [var.function_arns] : {
        Sid      = "InvokeTheFunctions"
        Effect   = "Allow"
        Action   = ["lambda:InvokeFunction"]
        Resource = functions
      } if length(functions) > 0],
      [for statement in var.policy_statements : merge(
        {
          Sid      = statement.sid
          Effect   = "Allow"
          Action   = statement.actions
          Resource = statement.resources
        },
        length(statement.condition) > 0 ? { Condition = statement.condition } : {},
      )],
      [
        {
          # Actions on log deliveries do not support resources.
          # https://docs.aws.amazon.com/step-functions/latest/dg/cw-logs.html
          Sid    = "DeliverLogs"
          Effect = "Allow"
          Action = [
            "logs:CreateLogDelivery",
            "logs:DeleteLogDelivery",
            "logs:DescribeLogGroups",
            "logs:DescribeResourcePolicies",
            "logs:GetLogDelivery",
            "logs:ListLogDeliveries",
            "logs:PutResourcePolicy",
            "logs:UpdateLogDelivery",
          ]
          Resource = ["*"]
        },
      ],
      # X-Ray actions do not support resources.
      var.tracing ? [{
        Sid    = "WriteTraces"
        Effect = "Allow"
        Action = [
          "xray:GetSamplingRules",
          "xray:GetSamplingTargets",
          "xray:PutTelemetryRecords",
          "xray:PutTraceSegments",
        ]
        Resource = ["*"]
      }] : [],
    )
  }
}

resource "aws_cloudwatch_log_group" "this" {
  name              = var.log_group
  log_group_class   = var.log_class
  retention_in_days = var.log_retention_days
  kms_key_id        = var.kms_key_arn
  tags              = var.tags
}

resource "aws_iam_role" "this" {
  name                 = var.role_name
  path                 = var.role_path
  permissions_boundary = var.permissions_boundary_arn
  description          = "Execution role of the state machine ${var.name}"
  assume_role_policy   = jsonencode(local.trust_policy)
  tags                 = var.tags
}

resource "aws_iam_role_policy" "this" {
  name   = "work"
  role   = aws_iam_role.this.id
  policy = jsonencode(local.policy)
}

resource "aws_sfn_state_machine" "this" {
  name       = var.name
  type       = var.type
  role_arn   = aws_iam_role.this.arn
  definition = var.definition
  tags       = var.tags

  logging_configuration {
    level                  = var.log_level
    include_execution_data = var.log_execution_data
    log_destination        = "${aws_cloudwatch_log_group.this.arn}:*"
  }

  tracing_configuration {
    enabled = var.tracing
  }

  # Step Functions tests the log delivery when it creates the state machine.
  depends_on = [aws_iam_role_policy.this]
}
