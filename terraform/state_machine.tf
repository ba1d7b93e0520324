locals {
  # The functions that the state machine calls.
  tasks = ["get_file_type", "copy_file", "resize_image", "write_to_dynamodb", "delete_file"]

  # A task waits a little longer than its function may run, so that it receives the function's own error.
  task_margin_seconds = 5
  task_timeouts = {
    for task in local.tasks : task => local.function_settings[task].timeout_seconds + local.task_margin_seconds
  }

  # EXPRESS executions end after five minutes, even with a longer timeout.
  default_timeout_seconds   = var.workflow_type == "EXPRESS" ? 300 : 3600
  execution_timeout_seconds = coalesce(var.execution_timeout_seconds, local.default_timeout_seconds)

  # Subscription filters, which events need, work with the class STANDARD only. STANDARD executions log little.
  default_log_class       = var.workflow_type == "EXPRESS" && var.events == null ? "INFREQUENT_ACCESS" : "STANDARD"
  state_machine_log_class = coalesce(var.state_machine_log_class, local.default_log_class)

  # Errors that a retry cannot fix, by their class names in image_converter/errors.py.
  permanent_errors = [
    "InvalidSettings",
    "InvalidRecord",
    "SourceNotFound",
    "SourceChanged",
    "SourceArchived",
    "UnknownType",
    "KeyTooLong",
    "DamagedImage",
    "ImageTooLarge",
    "UnsupportedImage",
  ]

  # Errors of Lambda itself: https://docs.aws.amazon.com/step-functions/latest/dg/sfn-best-practices.html
  transient_errors = [
    "Lambda.ServiceException",
    "Lambda.AWSLambdaException",
    "Lambda.SdkClientException",
    "Lambda.TooManyRequestsException",
    "Lambda.ClientExecutionTimeoutException",
  ]

  # The Retry rules of every task. The first rule that matches an error applies.
  task_retry = jsonencode([
    {
      ErrorEquals = local.permanent_errors
      MaxAttempts = 0
    },
    {
      ErrorEquals     = local.transient_errors
      IntervalSeconds = local.retry.transient_interval_seconds
      MaxAttempts     = local.retry.transient_max_attempts
      BackoffRate     = local.retry.transient_backoff_rate
      MaxDelaySeconds = local.retry.transient_max_delay_seconds
      JitterStrategy  = "FULL"
    },
    {
      ErrorEquals     = ["States.TaskFailed", "States.Timeout"]
      IntervalSeconds = local.retry.interval_seconds
      MaxAttempts     = local.retry.max_attempts
      BackoffRate     = local.retry.backoff_rate
    },
    {
      ErrorEquals     = ["States.ALL"]
      IntervalSeconds = local.retry.any_error_interval_seconds
      MaxAttempts     = local.retry.max_attempts
      BackoffRate     = local.retry.backoff_rate
    },
  ])

  # Only an event names its execution, and what a function is called with is in an EXPRESS execution's log.
  write_to_dynamodb_input = jsonencode(merge(
    { "state.$" = "$" },
    var.events == null ? {} : { "execution.$" = "$$.Execution.Id" },
  ))

  definition = templatefile("${path.module}/asl/image_converter.asl.json", merge(
    { for task in local.tasks : "${task}_arn" => module.function[task].arn },
    { for task in local.tasks : "${task}_timeout" => local.task_timeouts[task] },
    {
      execution_timeout = local.execution_timeout_seconds
      task_retry        = local.task_retry

      write_to_dynamodb_input = local.write_to_dynamodb_input
    },
  ))
}

module "state_machine" {
  source = "./modules/state_machine"

  name                     = var.name
  arn                      = local.state_machine_arn
  type                     = var.workflow_type
  definition               = local.definition
  function_arns            = [for task in local.tasks : module.function[task].arn]
  role_name                = local.role_names.state_machine
  role_path                = var.role_path
  permissions_boundary_arn = var.permissions_boundary_arn
  kms_key_arn              = module.key.arn
  log_group                = local.log_groups.state_machine
  log_class                = local.state_machine_log_class
  log_level                = coalesce(var.state_machine_log_level, var.workflow_type == "EXPRESS" ? "ALL" : "ERROR")
  log_execution_data       = var.state_machine_log_execution_data
  log_retention_days       = var.log_retention_days
  tracing                  = var.tracing
  tags                     = local.tags
}
