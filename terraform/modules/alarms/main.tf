# Alarms for everything that a person must act on, and nothing else: failed executions, dead letters, notifications that
# wait too long, server errors of the upload API, events that were not sent, failed backfills and, optionally, a budget that
# is exceeded. Functions that the state machine or the queue calls have no alarm: if a retry succeeds, there is nothing to
# do; otherwise the failure ends as a failed execution or a dead letter. All alarms notify one topic: this module's own, or
# the caller's (`topic_arn`), whose policy then needs the statements in the output `topic_statements`.

data "aws_caller_identity" "current" {}

data "aws_partition" "current" {}

data "aws_region" "current" {}

locals {
  account   = data.aws_caller_identity.current.account_id
  partition = data.aws_partition.current.partition
  region    = data.aws_region.current.id

  executions = {
    for outcome, metric in local.execution_metrics : "executions-${outcome}" => {
      description = "Executions ${replace(outcome, "-", " ")}: the images are still in the source bucket; error and cause of the execution say why."
      namespace   = "AWS/States"
      metric      = metric
      dimensions  = { StateMachineArn = var.state_machine_arn }
    }
  }
  execution_metrics = {
    failed    = "ExecutionsFailed"
    timed-out = "ExecutionsTimedOut"
    aborted   = "ExecutionsAborted"
  }

  # Whoever stops a backfill knows.
  backfills = {
    for outcome, metric in local.execution_metrics : "backfill-${outcome}" => {
      description = "A backfill ${replace(outcome, "-", " ")}: not every object was sent to the queue. Its error says why; redrive it to go on."
      namespace   = "AWS/States"
      metric      = metric
      dimensions  = { StateMachineArn = var.backfill_state_machine_arn }
    } if var.backfill_state_machine_arn != null && outcome != "aborted"
  }

  uploads = {
    for alarm in ["upload-errors"] : alarm => {
      description = "The function ${var.upload_function_name} failed, and with it an upload by HTTP; its log group shows why."
      namespace   = "AWS/Lambda"
      metric      = "Errors"
      dimensions  = { FunctionName = var.upload_function_name }
      threshold   = var.upload_errors
    } if var.upload_function_name != null
  }

  events = {
    for alarm in ["events-not-sent"] : alarm => {
      description = "Events for images that failed were not sent; the log group of ${var.failure_reporter_name} shows why."
      namespace   = "AWS/Lambda"
      metric      = "Errors"
      dimensions  = { FunctionName = var.failure_reporter_name }
    } if var.failure_reporter_name != null
  }

  queues = {
    dead-letters = {
      description = "There are notifications in the dead-letter queue: their images have not been converted."
      namespace   = "AWS/SQS"
      metric      = "ApproximateNumberOfMessagesVisible"
      statistic   = "Maximum"
      dimensions  = { QueueName = var.dead_letter_queue_name }
      ends        = true
    }
    queue-age = {
      description = "Notifications wait too long: images arrive faster than they are handled, or the trigger fails."
      namespace   = "AWS/SQS"
      metric      = "ApproximateAgeOfOldestMessage"
      statistic   = "Maximum"
      dimensions  = { QueueName = var.queue_name }
      threshold   = var.queue_age_seconds
      ends        = true
    }
  }

  alarms = merge(local.executions, local.backfills, local.uploads, local.events, local.queues)

  topic_arn = var.create_topic ? one(aws_sns_topic.this[*].arn) : var.topic_arn

  tls_only = {
    Sid       = "TlsOnly"
    Effect    = "Deny"
    Principal = "*"
    Action    = "sns:Publish"
    Resource  = local.topic_arn
    Condition = { Bool = { "aws:SecureTransport" = "false" } }
  }

  topic_statements = concat(
    [{
      Sid       = "AlarmsOfThisStack"
      Effect    = "Allow"
      Principal = { Service = "cloudwatch.amazonaws.com" }
      Action    = "sns:Publish"
      Resource  = local.topic_arn
      Condition = {
        StringEquals = { "aws:SourceAccount" = local.account }
        ArnLike = {
          "aws:SourceArn" = "arn:${local.partition}:cloudwatch:${local.region}:${local.account}:alarm:${var.name}-*"
        }
      }
    }],
    # AWS does not document a narrower ARN for notifications of a budget than any budget of the account.
    # https://docs.aws.amazon.com/cost-management/latest/userguide/budgets-sns-policy.html
    [for sid in ["BudgetsOfThisAccount"] : {
      Sid       = sid
      Effect    = "Allow"
      Principal = { Service = "budgets.amazonaws.com" }
      Action    = "sns:Publish"
      Resource  = local.topic_arn
      Condition = {
        StringEquals = { "aws:SourceAccount" = local.account }
        ArnLike      = { "aws:SourceArn" = "arn:${local.partition}:budgets::${local.account}:*" }
      }
    } if var.monthly_budget_usd != null],
  )
}

resource "aws_sns_topic" "this" {
  count = var.create_topic ? 1 : 0

  name              = "${var.name}-alarms"
  kms_master_key_id = var.kms_key_arn
  tags              = var.tags
}

resource "aws_sns_topic_policy" "this" {
  count = var.create_topic ? 1 : 0

  arn    = local.topic_arn
  policy = jsonencode({ Version = "2012-10-17", Statement = concat([local.tls_only], local.topic_statements) })
}

# States from before the topic could be the caller's.
moved {
  from = aws_sns_topic.this
  to   = aws_sns_topic.this[0]
}

moved {
  from = aws_sns_topic_policy.this
  to   = aws_sns_topic_policy.this[0]
}

resource "aws_sns_topic_subscription" "email" {
  count = var.email == null ? 0 : 1

  topic_arn = local.topic_arn
  protocol  = "email"
  endpoint  = var.email
}

resource "aws_cloudwatch_metric_alarm" "this" {
  for_each = local.alarms

  alarm_name          = "${var.name}-${each.key}"
  alarm_description   = join(" Dashboard: ", compact([each.value.description, var.dashboard_url]))
  namespace           = each.value.namespace
  metric_name         = each.value.metric
  dimensions          = each.value.dimensions
  statistic           = try(each.value.statistic, "Sum")
  comparison_operator = "GreaterThanOrEqualToThreshold"
  threshold           = try(each.value.threshold, 1)
  period              = 60
  evaluation_periods  = 1
  treat_missing_data  = "notBreaching"
  alarm_actions       = [local.topic_arn]
  tags                = var.tags

  # The end of an alarm is only worth a message for queues: a failed execution stays failed.
  ok_actions = try(each.value.ends, false) ? [local.topic_arn] : []
}

# Counts resources with this stack's tag, which must be activated as a cost allocation tag; otherwise it counts nothing.
resource "aws_budgets_budget" "monthly" {
  count = var.monthly_budget_usd == null ? 0 : 1

  name         = "${var.name}-${local.region}"
  budget_type  = "COST"
  time_unit    = "MONTHLY"
  limit_amount = tostring(var.monthly_budget_usd)
  limit_unit   = "USD"
  tags         = var.tags

  cost_filter {
    name   = "TagKeyValue"
    values = [join("$", ["user:${var.cost_tag.key}", var.cost_tag.value])]
  }

  dynamic "notification" {
    for_each = { ACTUAL = 80, FORECASTED = 100 }

    content {
      notification_type         = notification.key
      threshold                 = notification.value
      threshold_type            = "PERCENTAGE"
      comparison_operator       = "GREATER_THAN"
      subscriber_sns_topic_arns = [local.topic_arn]
    }
  }
}
