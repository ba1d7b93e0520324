# With var.events, an event is sent for each image that was converted and for each that failed for good. The function
# write_to_dynamodb sends the former. The latter come from the state machine's log, through a subscription filter and a
# function: that works for STANDARD and EXPRESS, and needs no state transition.

locals {
  own_bus_arn   = "arn:${local.partition}:events:${local.region}:${local.account}:event-bus/default"
  event_bus_arn = var.events == null ? null : var.events["bus"] == "default" ? local.own_bus_arn : var.events["bus"]

  event_environment = var.events == null ? {} : { EVENT_BUS = local.event_bus_arn, EVENT_SOURCE = var.name }
  send_events = [for arn in compact([local.event_bus_arn]) : {
    sid       = "SendEvents"
    actions   = ["events:PutEvents"]
    resources = [arn]
    condition = { StringEquals = { "events:source" = [var.name] } }
  }]
}

module "report_failure" {
  source = "./modules/function"
  count  = var.events == null ? 0 : 1

  name                     = local.lambda_names.report_failure
  description              = "Sends an event for each image whose execution failed"
  role_name                = local.role_names.report_failure
  role_path                = var.role_path
  permissions_boundary_arn = var.permissions_boundary_arn
  handler                  = "image_converter.handlers.report_failure.handler"
  runtime                  = local.runtime
  architecture             = local.architecture
  package                  = local.artifacts.functions
  layers                   = [module.layer.arn]
  memory_mb                = 256
  timeout_seconds          = 60
  kms_key_arn              = module.key.arn
  log_group                = local.log_groups.report_failure
  log_retention_days       = var.log_retention_days
  log_format               = local.log_format
  system_log_level         = local.system_log_level
  tracing                  = var.tracing
  tags                     = local.tags

  environment = merge(local.event_environment, local.common_environment)

  policy_statements = concat(local.send_events, [{
    sid       = "SeeInputs" # of executions that timed out or were stopped
    actions   = ["states:DescribeExecution"]
    resources = ["arn:${local.partition}:states:${local.region}:${local.account}:execution:${var.name}:*"]
    condition = {}
  }])
}

resource "aws_lambda_permission" "failures" {
  count = var.events == null ? 0 : 1

  function_name  = module.report_failure[0].name
  action         = "lambda:InvokeFunction"
  principal      = "logs.amazonaws.com"
  source_account = local.account
  source_arn     = "arn:${local.partition}:logs:${local.region}:${local.account}:log-group:${local.log_groups.state_machine}:*"
}

# A Fail state's log has the whole state. The other two types name the execution only.
resource "aws_cloudwatch_log_subscription_filter" "failures" {
  count = var.events == null ? 0 : 1

  name            = "failures"
  log_group_name  = module.state_machine.log_group
  filter_pattern  = "{ ($.type = \"FailStateEntered\") || ($.type = \"ExecutionTimedOut\") || ($.type = \"ExecutionAborted\") }"
  destination_arn = module.report_failure[0].arn

  depends_on = [aws_lambda_permission.failures]
}
