# From the bucket to the function: S3 notifies a queue of each new object, Lambda reads the queue in batches, and messages
# that cannot be handled move to a dead-letter queue.

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
        Principal = { Service = "s3.amazonaws.com" }
        Action    = "sqs:SendMessage"
        Resource  = var.queue_arn
        Condition = {
          StringEquals = { "aws:SourceAccount" = data.aws_caller_identity.current.account_id }
          ArnEquals    = { "aws:SourceArn" = var.bucket_arn }
        }
      },
      local.tls_only[var.queue_arn],
    ]
  }

  dead_letter_policy = {
    Version   = "2012-10-17"
    Statement = [local.tls_only[local.dead_letter_queue_arn]]
  }

  # Each notification has at most one prefix and one suffix, and S3 does not allow two that match the same key.
  filters = [
    for pair in setproduct(
      length(var.source_filter.prefixes) > 0 ? var.source_filter.prefixes : [null],
      length(var.source_filter.suffixes) > 0 ? var.source_filter.suffixes : [null],
    ) : { prefix = pair[0], suffix = pair[1] }
  ]

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
