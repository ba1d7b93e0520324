# Which objects S3 notifies of: a notification for each pair of a prefix and a suffix.

mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  name                     = "some-queue"
  queue_arn                = "arn:aws:sqs:eu-central-1:123456789012:some-queue"
  bucket_name              = "some-bucket"
  bucket_arn               = "arn:aws:s3:::some-bucket"
  function_arn             = "arn:aws:lambda:eu-central-1:123456789012:function:trigger"
  function_timeout_seconds = 30
  kms_key_arn              = "arn:aws:kms:eu-central-1:123456789012:key/11111111-2222-3333-4444-555555555555"
  maximum_concurrency      = 10
  max_receive_count        = 5
}

run "every_object" {
  command = plan

  module {
    source = "./modules/ingest"
  }

  assert {
    condition = jsonencode([
      for queue in aws_s3_bucket_notification.this[0].queue : [queue.id, queue.filter_prefix, queue.filter_suffix]
    ]) == jsonencode([["new-images", null, null]])
    error_message = "without a filter S3 notifies by ${jsonencode(aws_s3_bucket_notification.this[0].queue)}"
  }
}

run "each_pair" {
  command = plan

  module {
    source = "./modules/ingest"
  }

  variables {
    source_filter = { prefixes = ["in/", "new/"], suffixes = [".jpg", ".JPG"] }
  }

  assert {
    condition = jsonencode([
      for queue in aws_s3_bucket_notification.this[0].queue : [queue.id, queue.filter_prefix, queue.filter_suffix]
      ]) == jsonencode([
      ["new-images-1", "in/", ".jpg"],
      ["new-images-2", "in/", ".JPG"],
      ["new-images-3", "new/", ".jpg"],
      ["new-images-4", "new/", ".JPG"],
    ])
    error_message = "S3 notifies by ${jsonencode(aws_s3_bucket_notification.this[0].queue)}"
  }

  assert {
    condition     = alltrue([for queue in aws_s3_bucket_notification.this[0].queue : queue.events == toset(["s3:ObjectCreated:*"])])
    error_message = "S3 notifies of other events than new objects"
  }
}

run "suffixes_alone" {
  command = plan

  module {
    source = "./modules/ingest"
  }

  variables {
    source_filter = { suffixes = [".jpg"] }
  }

  assert {
    condition = jsonencode([
      for queue in aws_s3_bucket_notification.this[0].queue : [queue.id, queue.filter_prefix, queue.filter_suffix]
    ]) == jsonencode([["new-images", null, ".jpg"]])
    error_message = "S3 notifies by ${jsonencode(aws_s3_bucket_notification.this[0].queue)}"
  }
}
