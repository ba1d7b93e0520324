# Existing buckets: nothing of them is created or changed, and the functions may do there what they need and no more.

mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  package_dir = "./tests/package"
  tracing     = false
}

run "a_source_bucket" {
  variables {
    existing_source_bucket             = "holiday-photos"
    existing_source_bucket_kms_key_arn = "arn:aws:kms:eu-central-1:123456789012:key/99999999-2222-3333-4444-555555555555"
    source_after                       = "keep"
    source_filter                      = { prefixes = ["in/", "a + b=/"], suffixes = [".jpg"] }
  }

  assert {
    condition     = length(module.source_bucket) == 0 && output.source_bucket == "holiday-photos"
    error_message = "the source bucket is ${output.source_bucket}"
  }

  assert {
    condition     = length(module.ingest.filters) == 2 && module.ingest.notification_id == null
    error_message = "the bucket's notifications would be replaced"
  }

  assert {
    condition = jsondecode(module.ingest.event_pattern) == {
      source      = ["aws.s3"]
      detail-type = ["Object Created"]
      detail = {
        bucket = { name = ["holiday-photos"] }
        object = { key = [{ wildcard = "in/*.jpg" }, { wildcard = "a + b=/*.jpg" }] }
      }
    }
    error_message = "the rule's pattern is ${module.ingest.event_pattern}"
  }

  assert {
    condition = [
      for statement in jsondecode(module.ingest.policy).Statement : [statement.Principal.Service, statement.Condition.ArnEquals["aws:SourceArn"]]
      if statement.Effect == "Allow"
    ] == [["events.amazonaws.com", "arn:aws:events:eu-central-1:123456789012:rule/image-converter"]]
    error_message = "the queue admits ${module.ingest.policy}"
  }

  assert {
    condition = alltrue([
      for function in ["get_file_type", "copy_file", "resize_image"] : contains(flatten([
        for statement in jsondecode(module.function[function].policy).Statement : statement.Resource
        if contains(statement.Action, "kms:Decrypt")
      ]), "arn:aws:kms:eu-central-1:123456789012:key/99999999-2222-3333-4444-555555555555")
    ])
    error_message = "a function cannot read the bucket's objects"
  }

  assert {
    condition     = local.function_environments.delete_file.OTHER_TYPES == "keep" && jsondecode(aws_lambda_invocation.destroy_guard.input).buckets == ["image-converter-destination-123456789012-eu-central-1"]
    error_message = "files of other types would be deleted, or the guard looks at a bucket that is not destroyed: ${aws_lambda_invocation.destroy_guard.input}"
  }

  assert {
    condition     = length(output.existing_buckets_need) == 4
    error_message = "the output is ${jsonencode(output.existing_buckets_need)}"
  }
}

run "both_without_a_key_and_a_filter" {
  variables {
    existing_source_bucket      = "holiday-photos"
    source_after                = "delete"
    existing_destination_bucket = { name = "website", prefix = "photos/" }
  }

  assert {
    condition     = length(module.destination_bucket) + length(module.source_bucket) + length(module.access_logs_bucket) == 0
    error_message = "buckets would be created"
  }

  assert {
    condition = alltrue([
      for function in ["copy_file", "resize_image"] : [
        for statement in jsondecode(module.function[function].policy).Statement : statement.Resource if statement.Sid == "WriteDestination"
      ] == [["arn:aws:s3:::website/photos/*"]]
    ])
    error_message = "functions may write elsewhere: ${module.function["copy_file"].policy}"
  }

  assert {
    condition     = local.function_environments.resize_image.DESTINATION_PREFIX == "photos/"
    error_message = "resize_image gets ${jsonencode(local.function_environments.resize_image)}"
  }

  assert {
    condition     = [for statement in jsondecode(module.destroy_guard.policy).Statement : statement.Sid] == ["WriteLogs"]
    error_message = "the guard may do ${module.destroy_guard.policy}"
  }

  assert {
    condition     = jsondecode(module.ingest.event_pattern).detail == { bucket = { name = ["holiday-photos"] } }
    error_message = "the rule's pattern is ${module.ingest.event_pattern}"
  }

  assert {
    condition = [
      for statement in jsondecode(module.function["get_file_type"].policy).Statement : statement.Sid
    ] == ["WriteLogs", "ReadSource", "TellGoneFromForbidden"]
    error_message = "get_file_type may do ${module.function["get_file_type"].policy}"
  }
}

run "not_one_bucket_for_both" {
  command = plan

  variables {
    existing_source_bucket      = "holiday-photos"
    source_after                = "keep"
    existing_destination_bucket = { name = "holiday-photos", prefix = "photos/" }
  }

  expect_failures = [output.source_bucket]
}

run "prefixes_alone" {
  command = plan

  module {
    source = "./modules/ingest"
  }

  variables {
    name                     = "some-queue"
    queue_arn                = "arn:aws:sqs:eu-central-1:123456789012:some-queue"
    bucket_name              = "some-bucket"
    bucket_arn               = "arn:aws:s3:::some-bucket"
    rule_arn                 = "arn:aws:events:eu-central-1:123456789012:rule/some-queue"
    source_filter            = { prefixes = ["in/"] }
    function_arn             = "arn:aws:lambda:eu-central-1:123456789012:function:trigger"
    function_timeout_seconds = 30
    kms_key_arn              = "arn:aws:kms:eu-central-1:123456789012:key/11111111-2222-3333-4444-555555555555"
    maximum_concurrency      = 10
    max_receive_count        = 5
  }

  assert {
    condition     = jsondecode(aws_cloudwatch_event_rule.this[0].event_pattern).detail.object.key == [{ prefix = "in/" }]
    error_message = "the rule's pattern is ${aws_cloudwatch_event_rule.this[0].event_pattern}"
  }
}

run "not_an_endless_pattern" {
  command = plan

  module {
    source = "./modules/ingest"
  }

  variables {
    name                     = "some-queue"
    queue_arn                = "arn:aws:sqs:eu-central-1:123456789012:some-queue"
    bucket_name              = "some-bucket"
    bucket_arn               = "arn:aws:s3:::some-bucket"
    rule_arn                 = "arn:aws:events:eu-central-1:123456789012:rule/some-queue"
    source_filter            = { prefixes = [for number in range(100) : "a-prefix-of-many-characters-${100 + number}/"] }
    function_arn             = "arn:aws:lambda:eu-central-1:123456789012:function:trigger"
    function_timeout_seconds = 30
    kms_key_arn              = "arn:aws:kms:eu-central-1:123456789012:key/11111111-2222-3333-4444-555555555555"
    maximum_concurrency      = 10
    max_receive_count        = 5
  }

  expect_failures = [aws_cloudwatch_event_rule.this]
}
