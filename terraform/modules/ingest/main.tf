# From the bucket to the function: S3 notifies a queue of each new object, Lambda reads the queue in batches, and messages
# that cannot be handled move to a dead-letter queue. With `rule_arn`, an EventBridge rule sends the bucket's events to
# the queue, and the bucket's notifications stay as they are: `aws_s3_bucket_notification` would replace all of them.

data "aws_caller_identity" "current" {}

locals {
  dead_letter_queue_arn = "${var.queue_arn}-dead-letters"

  tls_only = {
    for arn in [var.queue_arn, local.dead_letter_queue_arn] : arn => {
      Sid       = "TlsOnly"
      Effect    = "Deny"
      Principal = "*"
      Action    = "sqs:*"
      Resource  = arn
      Condition = { Bool = { "aws:SecureTransport" = "false" } }
    }
  }

  policy = {
    Version = "2012-10-17"
    Statement = [
      {
        Sid       = "NotificationsOfTheBucket"
        Effect    = "Allow"
        Principal = { Service = local.notifier.service }
        Action    = "sqs:SendMessage"
        Resource  = var.queue_arn
        Condition = {
          StringEquals = { "aws:SourceAccount" = data.aws_caller_identity.current.account_id }
          ArnEquals    = { "aws:SourceArn" = local.notifier.arn }
        }
      },
      local.tls_only[var.queue_arn],
    ]
  }

  notifier = var.rule_arn == null ? { service = "s3.amazonaws.com", arn = var.bucket_arn } : { service = "events.amazonaws.com", arn = var.rule_arn }

  dead_letter_policy = {
    Version = "2012-10-17"
    Statement = concat([local.tls_only[local.dead_letter_queue_arn]], [
      for arn in compact([var.rule_arn]) : {
        Sid       = "EventsThatTheRuleCouldNotDeliver"
        Effect    = "Allow"
        Principal = { Service = "events.amazonaws.com" }
        Action    = "sqs:SendMessage"
        Resource  = local.dead_letter_queue_arn
        Condition = { ArnEquals = { "aws:SourceArn" = arn } }
      }
    ])
  }

  # Each notification has at most one prefix and one suffix, and S3 does not allow two that match the same key.
  filters = [
    for pair in setproduct(
      length(var.source_filter.prefixes) > 0 ? var.source_filter.prefixes : [null],
      length(var.source_filter.suffixes) > 0 ? var.source_filter.suffixes : [null],
    ) : { prefix = pair[0], suffix = pair[1] }
  ]

  # EventBridge matches a key that any of these match. A wildcard asks for a prefix and a suffix at once.
  # https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html
  patterns = [
    for filter in local.filters : merge(
      filter.suffix == null ? { prefix = filter.prefix } : {},
      filter.prefix == null ? { suffix = filter.suffix } : {},
      filter.prefix != null && filter.suffix != null ? {
        wildcard = "${coalesce(filter.prefix, "-")}*${coalesce(filter.suffix, "-")}"
      } : {},
    ) if filter.prefix != null || filter.suffix != null
  ]

  event_pattern = jsonencode({
    source      = ["aws.s3"]
    detail-type = ["Object Created"]
    detail = merge(
      { bucket = { name = [var.bucket_name] } },
      length(local.patterns) > 0 ? { object = { key = local.patterns } } : {},
    )
  })

  # How long SQS reuses a data key before it requests another one; an hour makes the cost of KMS negligible.
  data_key_reuse_seconds = 3600
}

# The policies are arguments of the queues, because the provider would wait for each separate policy resource to propagate.
resource "aws_sqs_queue" "this" {
  name                              = var.name
  policy                            = jsonencode(local.policy)
  message_retention_seconds         = var.message_retention_seconds
  kms_master_key_id                 = var.kms_key_arn
  kms_data_key_reuse_period_seconds = local.data_key_reuse_seconds
  tags                              = var.tags

  # Six times the function's timeout, as AWS advises, so that no message is delivered again while it is being handled or
  # waits for a retry.
  # https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html
  visibility_timeout_seconds = 6 * var.function_timeout_seconds + var.batching_window_seconds

  redrive_policy = jsonencode({
    deadLetterTargetArn = aws_sqs_queue.dead_letters.arn
    maxReceiveCount     = var.max_receive_count
  })
}

resource "aws_sqs_queue" "dead_letters" {
  name                              = "${var.name}-dead-letters"
  policy                            = jsonencode(local.dead_letter_policy)
  message_retention_seconds         = 14 * 24 * 3600 # the maximum of SQS
  kms_master_key_id                 = var.kms_key_arn
  kms_data_key_reuse_period_seconds = local.data_key_reuse_seconds
  tags                              = var.tags

  redrive_allow_policy = jsonencode({
    redrivePermission = "byQueue"
    sourceQueueArns   = [var.queue_arn]
  })
}

resource "aws_s3_bucket_notification" "this" {
  count = var.rule_arn == null ? 1 : 0

  bucket = var.bucket_name

  dynamic "queue" {
    for_each = local.filters

    content {
      id            = length(local.filters) == 1 ? "new-images" : "new-images-${queue.key + 1}"
      queue_arn     = aws_sqs_queue.this.arn
      events        = ["s3:ObjectCreated:*"]
      filter_prefix = queue.value.prefix
      filter_suffix = queue.value.suffix
    }
  }
}

# States from before the bucket could be an existing one.
moved {
  from = aws_s3_bucket_notification.this
  to   = aws_s3_bucket_notification.this[0]
}

resource "aws_cloudwatch_event_rule" "this" {
  count = var.rule_arn == null ? 0 : 1

  name          = var.name
  description   = "New objects in the bucket ${var.bucket_name}"
  event_pattern = local.event_pattern
  tags          = var.tags

  lifecycle {
    # https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-quota.html
    precondition {
      condition     = length(local.event_pattern) <= 2048
      error_message = "source_filter makes an event pattern of ${length(local.event_pattern)} characters, but EventBridge allows 2,048: use fewer or shorter prefixes and suffixes."
    }
  }
}

# What cannot be delivered within EventBridge's 24 hours becomes a dead letter, which raises an alarm and can be redriven.
resource "aws_cloudwatch_event_target" "this" {
  count = var.rule_arn == null ? 0 : 1

  rule = aws_cloudwatch_event_rule.this[0].name
  arn  = aws_sqs_queue.this.arn

  dead_letter_config {
    arn = aws_sqs_queue.dead_letters.arn
  }
}

resource "aws_lambda_event_source_mapping" "this" {
  event_source_arn                   = aws_sqs_queue.this.arn
  function_name                      = var.function_arn
  enabled                            = !var.paused
  batch_size                         = var.batch_size
  maximum_batching_window_in_seconds = var.batching_window_seconds
  function_response_types            = ["ReportBatchItemFailures"]
  tags                               = var.tags

  scaling_config {
    maximum_concurrency = var.maximum_concurrency
  }
}
