# Single modules, looked at from inside.

mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  name               = "image-converter"
  kms_key_arn        = "arn:aws:kms:eu-central-1:123456789012:key/11111111-2222-3333-4444-555555555555"
  log_retention_days = 365
}

run "bucket" {
  module {
    source = "./modules/bucket"
  }

  variables {
    name                               = "some-bucket"
    kms_key                            = { arn = "arn:aws:kms:eu-central-1:123456789012:key/11111111-2222-3333-4444-555555555555" }
    access_logs                        = { bucket = "some-logs" }
    noncurrent_version_expiration_days = 7
  }

  assert {
    condition     = aws_s3_bucket.this.force_destroy == false
    error_message = "destroying the stack would destroy images"
  }

  assert {
    condition = alltrue([
      aws_s3_bucket_public_access_block.this.block_public_acls,
      aws_s3_bucket_public_access_block.this.block_public_policy,
      aws_s3_bucket_public_access_block.this.ignore_public_acls,
      aws_s3_bucket_public_access_block.this.restrict_public_buckets,
    ])
    error_message = "the bucket can be made public"
  }

  assert {
    condition     = aws_s3_bucket_versioning.this.versioning_configuration[0].status == "Enabled"
    error_message = "a deleted image would be gone"
  }

  assert {
    condition     = one(aws_s3_bucket_server_side_encryption_configuration.this.rule).apply_server_side_encryption_by_default[0].sse_algorithm == "aws:kms"
    error_message = "objects are not encrypted with the key"
  }

  assert {
    condition     = aws_s3_bucket_lifecycle_configuration.this.rule[0].noncurrent_version_expiration[0].noncurrent_days == 7
    error_message = "deleted images are kept for a different number of days than requested"
  }

  assert {
    condition     = aws_s3_bucket_lifecycle_configuration.this.rule[0].expiration[0].days == 0
    error_message = "current images expire"
  }

  assert {
    condition     = jsondecode(output.policy).Statement[0].Effect == "Deny" && jsondecode(output.policy).Statement[0].Condition.Bool["aws:SecureTransport"] == "false"
    error_message = "the bucket speaks plain HTTP"
  }

  assert {
    condition = [
      for statement in jsondecode(output.policy).Statement : [statement.Effect, statement.Condition] if statement.Sid == "ThisAccountOnly"
      ] == [["Deny", {
        StringNotEquals = { "aws:PrincipalAccount" = ["123456789012"] }
        BoolIfExists    = { "aws:PrincipalIsAWSService" = "false" }
    }]]
    error_message = "other accounts may use the bucket: ${output.policy}"
  }

  assert {
    condition     = alltrue([for statement in jsondecode(output.policy).Statement : statement.Effect == "Deny"])
    error_message = "the bucket's policy lets somebody in: ${output.policy}"
  }

  assert {
    condition = {
      for statement in jsondecode(output.policy).Statement : statement.Sid => jsonencode(statement.Condition) if statement.Action == "s3:PutObject"
      } == {
      NoEncryptionButByKms = jsonencode({
        Null            = { "s3:x-amz-server-side-encryption" = "false" }
        StringNotEquals = { "s3:x-amz-server-side-encryption" = "aws:kms" }
      })
      NoOtherKey = jsonencode({
        Null            = { "s3:x-amz-server-side-encryption-aws-kms-key-id" = "false" }
        StringNotEquals = { "s3:x-amz-server-side-encryption-aws-kms-key-id" = var.kms_key_arn }
      })
      NoKmsWithoutTheKey = jsonencode({
        Null         = { "s3:x-amz-server-side-encryption-aws-kms-key-id" = "true" }
        StringEquals = { "s3:x-amz-server-side-encryption" = "aws:kms" }
      })
      NoKeyOfTheCallers = jsonencode({
        Null = { "s3:x-amz-server-side-encryption-customer-algorithm" = "false" }
      })
    }
    error_message = "objects can be encrypted in another way: ${output.policy}"
  }

  assert {
    condition     = aws_s3_bucket_logging.this[0].target_bucket == "some-logs"
    error_message = "access is not logged"
  }
}

run "bucket_for_access_logs" {
  module {
    source = "./modules/bucket"
  }

  variables {
    name                               = "some-logs"
    noncurrent_version_expiration_days = 7
    expiration_days                    = 365
  }

  assert {
    condition     = one(aws_s3_bucket_server_side_encryption_configuration.this.rule).apply_server_side_encryption_by_default[0].sse_algorithm == "AES256"
    error_message = "S3 cannot write access logs with a customer-managed key"
  }

  assert {
    condition     = aws_s3_bucket_lifecycle_configuration.this.rule[0].expiration[0].days == 365
    error_message = "access logs stay for ever"
  }

  assert {
    condition     = !strcontains(output.policy, "encryption")
    error_message = "S3 cannot write access logs: ${output.policy}"
  }

  assert {
    condition     = length(aws_s3_bucket_logging.this) == 0
    error_message = "access to the access logs is logged"
  }
}

run "function" {
  module {
    source = "./modules/function"
  }

  variables {
    name              = "image-converter-upload"
    description       = "Some function"
    role_name         = "image-converter-upload"
    policy_statements = []
    handler           = "module.handler"
    runtime           = "python3.13"
    architecture      = "arm64"
    package           = { file = "./tests/package/functions.txt", hash = "hash" }
    environment       = { SOME = "setting" }
    memory_mb         = 256
    timeout_seconds   = 30
    log_group         = "/aws/lambda/image-converter-upload"
    log_format        = "Text"
    tracing           = true
  }

  assert {
    condition     = aws_lambda_function.this.publish == false && length(aws_lambda_function.this.snap_start) == 0
    error_message = "versions and snapshots are published although snap_start is off"
  }

  assert {
    condition     = output.arn == aws_lambda_function.this.arn && output.qualifier == null
    error_message = "the function is called as ${output.arn}"
  }
}

run "function_with_snapshots" {
  module {
    source = "./modules/function"
  }

  variables {
    name              = "image-converter-upload"
    description       = "Some function"
    role_name         = "image-converter-upload"
    policy_statements = []
    handler           = "module.handler"
    runtime           = "python3.13"
    architecture      = "arm64"
    package           = { file = "./tests/package/functions.txt", hash = "hash" }
    environment       = { SOME = "setting" }
    memory_mb         = 256
    timeout_seconds   = 30
    log_group         = "/aws/lambda/image-converter-upload"
    log_format        = "Text"
    tracing           = true
    snap_start        = true
  }

  assert {
    condition     = aws_lambda_function.this.publish && aws_lambda_function.this.snap_start[0].apply_on == "PublishedVersions"
    error_message = "no version is published to make a snapshot of"
  }

  assert {
    condition     = aws_lambda_alias.snapshot[0].function_version == aws_lambda_function.this.version
    error_message = "the alias leads to another version than the newest"
  }

  assert {
    condition     = output.arn == aws_lambda_alias.snapshot[0].arn && output.invoke_arn == aws_lambda_alias.snapshot[0].invoke_arn
    error_message = "the function is called as ${output.arn}, past its snapshot"
  }
}

run "ingest" {
  module {
    source = "./modules/ingest"
  }

  variables {
    queue_arn                = "arn:aws:sqs:eu-central-1:123456789012:image-converter"
    bucket_name              = "some-bucket"
    bucket_arn               = "arn:aws:s3:::some-bucket"
    function_arn             = "arn:aws:lambda:eu-central-1:123456789012:function:trigger"
    function_timeout_seconds = 30
    maximum_concurrency      = 10
    max_receive_count        = 5
  }

  assert {
    condition     = aws_sqs_queue.this.visibility_timeout_seconds >= 6 * 30
    error_message = "a message comes again after ${aws_sqs_queue.this.visibility_timeout_seconds} s, while it may still be handled"
  }

  assert {
    condition     = jsondecode(aws_sqs_queue.this.redrive_policy).maxReceiveCount == 5
    error_message = "a poison message is delivered ${jsondecode(aws_sqs_queue.this.redrive_policy).maxReceiveCount} times"
  }

  assert {
    condition = [
      for statement in jsondecode(aws_sqs_queue.this.policy).Statement : statement.Condition if statement.Effect == "Allow"
      ] == [{
        StringEquals = { "aws:SourceAccount" = "123456789012" }
        ArnEquals    = { "aws:SourceArn" = "arn:aws:s3:::some-bucket" }
    }]
    error_message = "principals other than the bucket may send to the queue: ${aws_sqs_queue.this.policy}"
  }

  assert {
    condition     = alltrue([for queue in [aws_sqs_queue.this, aws_sqs_queue.dead_letters] : queue.kms_master_key_id == var.kms_key_arn])
    error_message = "messages are not encrypted with the key"
  }

  assert {
    condition     = jsondecode(aws_sqs_queue.dead_letters.redrive_allow_policy).sourceQueueArns == ["arn:aws:sqs:eu-central-1:123456789012:image-converter"]
    error_message = "other queues may use the dead-letter queue"
  }

  assert {
    condition     = aws_lambda_event_source_mapping.this.enabled
    error_message = "messages wait although paused is false"
  }

  assert {
    condition     = aws_lambda_event_source_mapping.this.function_response_types == toset(["ReportBatchItemFailures"])
    error_message = "one bad message fails its whole batch"
  }
}

run "upload_api_with_iam" {
  module {
    source = "./modules/upload_api"
  }

  variables {
    function_name       = "upload"
    function_invoke_arn = "arn:aws:apigateway:eu-central-1:lambda:path/2015-03-31/functions/arn:aws:lambda:eu-central-1:123456789012:function:upload/invocations"
    requests_per_second = 20
    burst               = 40
    log_group           = "/aws/vendedlogs/apigateway/image-converter"
  }

  assert {
    condition     = aws_apigatewayv2_route.this["upload"].authorization_type == "AWS_IAM"
    error_message = "uploads are authorised by ${aws_apigatewayv2_route.this["upload"].authorization_type}"
  }

  assert {
    condition     = aws_lambda_permission.this["upload"].source_arn == "arn:aws:execute-api:eu-central-1:123456789012:abcdef1234/*/POST/upload"
    error_message = "the function may be called from ${aws_lambda_permission.this["upload"].source_arn}"
  }

  assert {
    condition     = output.url == "https://abcdef1234.execute-api.eu-central-1.amazonaws.com/upload"
    error_message = "images are uploaded to ${output.url}"
  }
}

run "upload_api_with_jwt" {
  module {
    source = "./modules/upload_api"
  }

  variables {
    function_name       = "upload"
    function_invoke_arn = "arn:aws:apigateway:eu-central-1:lambda:path/2015-03-31/functions/arn:aws:lambda:eu-central-1:123456789012:function:upload/invocations"
    requests_per_second = 20
    burst               = 40
    log_group           = "/aws/vendedlogs/apigateway/image-converter"
    jwt                 = { issuer = "https://login.example.com", audience = ["uploads"], scopes = ["write"] }
  }

  assert {
    condition     = aws_apigatewayv2_route.this["upload"].authorization_type == "JWT" && aws_apigatewayv2_route.this["upload"].authorizer_id == aws_apigatewayv2_authorizer.jwt[0].id
    error_message = "uploads are authorised by ${aws_apigatewayv2_route.this["upload"].authorization_type}"
  }

  assert {
    condition     = aws_apigatewayv2_authorizer.jwt[0].jwt_configuration[0].audience == toset(["uploads"])
    error_message = "tokens for ${jsonencode(aws_apigatewayv2_authorizer.jwt[0].jwt_configuration)} are taken"
  }
}

run "alarms" {
  module {
    source = "./modules/alarms"
  }

  variables {
    state_machine_arn      = "arn:aws:states:eu-central-1:123456789012:stateMachine:image-converter"
    upload_function_name   = "image-converter-upload"
    queue_name             = "image-converter"
    queue_age_seconds      = 900
    dead_letter_queue_name = "image-converter-dead-letters"
    dashboard_url          = "https://example.com/dashboard"
    email                  = "someone@example.com"
    cost_tag               = { key = "Project", value = "image-converter" }
  }

  assert {
    condition = toset(keys(aws_cloudwatch_metric_alarm.this)) == toset([
      "dead-letters", "executions-aborted", "executions-failed", "executions-timed-out", "queue-age", "upload-errors",
    ])
    error_message = "there are alarms for ${jsonencode(keys(aws_cloudwatch_metric_alarm.this))}"
  }

  assert {
    condition = alltrue([
      for alarm in aws_cloudwatch_metric_alarm.this :
      alarm.treat_missing_data == "notBreaching" && alarm.alarm_actions == toset([aws_sns_topic.this[0].arn])
    ])
    error_message = "missing data raises an alarm, or an alarm does not notify the topic"
  }

  # A failed execution ends once: failed, timed out or aborted. So it sends one e-mail, and none when the alarm ends.
  assert {
    condition = toset([
      for name, alarm in aws_cloudwatch_metric_alarm.this : name if length(alarm.ok_actions) > 0
    ]) == toset(["dead-letters", "queue-age"])
    error_message = "the end of an execution alarm sends an e-mail"
  }

  assert {
    condition = toset([
      for alarm in aws_cloudwatch_metric_alarm.this : alarm.dimensions.FunctionName if alarm.namespace == "AWS/Lambda"
    ]) == toset(["image-converter-upload"])
    error_message = "a retry that worked sends an e-mail"
  }

  assert {
    condition = alltrue([
      for alarm in aws_cloudwatch_metric_alarm.this : strcontains(alarm.alarm_description, var.dashboard_url)
    ])
    error_message = "an alarm does not link to the dashboard"
  }

  assert {
    condition     = aws_sns_topic_subscription.email[0].endpoint == "someone@example.com"
    error_message = "the e-mail address does not receive the alarms"
  }

  assert {
    condition     = length(aws_budgets_budget.monthly) == 0
    error_message = "there is a budget although none was requested"
  }

  assert {
    condition = [
      for statement in jsondecode(aws_sns_topic_policy.this[0].policy).Statement : statement.Principal if statement.Effect == "Allow"
    ] == [{ Service = "cloudwatch.amazonaws.com" }]
    error_message = "principals other than the alarms may publish to the topic: ${aws_sns_topic_policy.this[0].policy}"
  }
}

run "budget" {
  module {
    source = "./modules/alarms"
  }

  variables {
    state_machine_arn      = "arn:aws:states:eu-central-1:123456789012:stateMachine:image-converter"
    upload_function_name   = "image-converter-upload"
    queue_name             = "image-converter"
    queue_age_seconds      = 900
    dead_letter_queue_name = "image-converter-dead-letters"
    dashboard_url          = "https://example.com/dashboard"
    monthly_budget_usd     = 12.5
    cost_tag               = { key = "Project", value = "image-converter" }
  }

  assert {
    condition = (
      aws_budgets_budget.monthly[0].limit_amount == "12.5" && aws_budgets_budget.monthly[0].limit_unit == "USD"
      && aws_budgets_budget.monthly[0].time_unit == "MONTHLY"
    )
    error_message = "the budget is ${jsonencode(aws_budgets_budget.monthly[0])}"
  }

  assert {
    condition = jsonencode([for filter in aws_budgets_budget.monthly[0].cost_filter : [filter.name, filter.values]]) == jsonencode([
      ["TagKeyValue", ["user:Project$image-converter"]],
    ])
    error_message = "the budget counts ${jsonencode(aws_budgets_budget.monthly[0].cost_filter)}"
  }

  assert {
    condition = jsonencode({
      for notice in aws_budgets_budget.monthly[0].notification :
      notice.notification_type => [notice.threshold, notice.threshold_type, notice.subscriber_sns_topic_arns]
      }) == jsonencode({
      ACTUAL     = [80, "PERCENTAGE", [aws_sns_topic.this[0].arn]]
      FORECASTED = [100, "PERCENTAGE", [aws_sns_topic.this[0].arn]]
    })
    error_message = "the budget says ${jsonencode(aws_budgets_budget.monthly[0].notification)}"
  }

  assert {
    condition = [
      for statement in jsondecode(aws_sns_topic_policy.this[0].policy).Statement : statement.Condition
      if try(statement.Principal.Service, "") == "budgets.amazonaws.com"
      ] == [{
        StringEquals = { "aws:SourceAccount" = "123456789012" }
        ArnLike      = { "aws:SourceArn" = "arn:aws:budgets::123456789012:*" }
    }]
    error_message = "the budget may not publish, or other accounts' may: ${aws_sns_topic_policy.this[0].policy}"
  }
}

run "key" {
  module {
    source = "./modules/key"
  }

  variables {
    log_group_arns = ["arn:aws:logs:eu-central-1:123456789012:log-group:/aws/lambda/image-converter-upload"]
    notifier       = { service = "s3.amazonaws.com", arn = "arn:aws:s3:::some-bucket" }
  }

  assert {
    condition     = aws_kms_key.this[0].enable_key_rotation
    error_message = "the key is never rotated"
  }

  assert {
    condition = alltrue([
      for statement in jsondecode(aws_kms_key.this[0].policy).Statement :
      can(statement.Condition) && !contains(flatten([statement.Action]), "kms:*") if can(statement.Principal.Service)
    ])
    error_message = "a service may use the key for others: ${aws_kms_key.this[0].policy}"
  }

  assert {
    condition = [
      for statement in jsondecode(aws_kms_key.this[0].policy).Statement : statement.Principal if contains(flatten([statement.Action]), "kms:*")
    ] == [{ AWS = "arn:aws:iam::123456789012:root" }]
    error_message = "principals other than the account administer the key: ${aws_kms_key.this[0].policy}"
  }

  assert {
    condition     = !strcontains(aws_kms_key.this[0].policy, "budgets.amazonaws.com")
    error_message = "budgets may use the key, but there is none: ${aws_kms_key.this[0].policy}"
  }
}

run "key_with_a_budget" {
  module {
    source = "./modules/key"
  }

  variables {
    log_group_arns = ["arn:aws:logs:eu-central-1:123456789012:log-group:/aws/lambda/image-converter-upload"]
    notifier       = { service = "s3.amazonaws.com", arn = "arn:aws:s3:::some-bucket" }
    budget_notices = true
  }

  assert {
    condition = [
      for statement in jsondecode(aws_kms_key.this[0].policy).Statement : [statement.Action, statement.Condition]
      if try(statement.Principal.Service, "") == "budgets.amazonaws.com"
      ] == [[["kms:Decrypt", "kms:GenerateDataKey"], {
        StringEquals = { "aws:SourceAccount" = "123456789012" }
        ArnLike      = { "aws:SourceArn" = "arn:aws:budgets::123456789012:*" }
    }]]
    error_message = "the budget cannot send to the encrypted topic, or others can: ${aws_kms_key.this[0].policy}"
  }
}
