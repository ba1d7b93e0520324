# Options that do not touch each other, several in each run: to apply takes longer than all that is asserted of it.

mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  package_dir = "./tests/package"
  tracing     = false
}

run "everything_is_kept_with_events_tokens_and_trusted_accounts" {
  variables {
    source_after        = "keep"
    other_types         = "keep"
    events              = { bus = "default" }
    trusted_account_ids = ["111122223333"]
    upload_jwt = {
      issuer   = "https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_example"
      audience = ["example"]
    }
  }

  # Everything is kept.
  assert {
    condition = (
      local.function_environments.delete_file.SOURCE_AFTER == "keep"
      && local.function_environments.delete_file.OTHER_TYPES == "keep"
    )
    error_message = "The settings of delete_file are ${jsonencode(local.function_environments.delete_file)}"
  }

  assert {
    condition     = [for statement in jsondecode(module.function["delete_file"].policy).Statement : statement.Sid] == ["WriteLogs"]
    error_message = "delete_file may do more than write logs: ${module.function["delete_file"].policy}"
  }

  assert {
    condition = contains(flatten([
      for statement in jsondecode(module.function["copy_file"].policy).Statement : statement.Action
    ]), "s3:GetObjectVersion")
    error_message = "copy_file has lost what it needs"
  }

  # Events: each function may do what they need and no more.
  assert {
    condition = alltrue([
      for function in [module.function["write_to_dynamodb"], module.report_failure[0]] : [
        for statement in jsondecode(function.policy).Statement : [statement.Action, statement.Resource, statement.Condition]
        if statement.Sid == "SendEvents"
        ] == [[
          ["events:PutEvents"],
          ["arn:aws:events:eu-central-1:123456789012:event-bus/default"],
          { StringEquals = { "events:source" = ["image-converter"] } },
      ]]
    ])
    error_message = "the functions may send ${module.function["write_to_dynamodb"].policy}, ${module.report_failure[0].policy}"
  }

  assert {
    condition     = [for statement in jsondecode(module.report_failure[0].policy).Statement : statement.Sid] == ["WriteLogs", "SendEvents", "SeeInputs"]
    error_message = "report_failure may do ${module.report_failure[0].policy}"
  }

  assert {
    condition     = output.role_arns["report_failure"] == module.report_failure[0].role_arn
    error_message = "the roles are those of ${join(", ", keys(output.role_arns))}"
  }

  assert {
    condition     = jsondecode(module.state_machine.definition).States.WriteToDynamoDb.Parameters["execution.$"] == "$$.Execution.Id"
    error_message = "events do not name their execution: ${jsonencode(jsondecode(module.state_machine.definition).States.WriteToDynamoDb.Parameters)}"
  }

  assert {
    condition     = aws_cloudwatch_log_subscription_filter.failures[0].log_group_name == local.log_groups.state_machine
    error_message = "the filter reads ${aws_cloudwatch_log_subscription_filter.failures[0].log_group_name}"
  }

  assert {
    condition     = local.function_environments.write_to_dynamodb.EVENT_SOURCE == "image-converter"
    error_message = "the events' source is ${local.function_environments.write_to_dynamodb.EVENT_SOURCE}"
  }

  # With a token no request is signed.
  assert {
    condition     = strcontains(output.commands.upload_form, "authorization: Bearer $TOKEN") && !strcontains(output.commands.upload_form, "sigv4")
    error_message = "upload_form is ${output.commands.upload_form}"
  }

  # Trusted accounts.
  assert {
    condition = alltrue([
      for bucket in [module.source_bucket[0], module.destination_bucket[0]] :
      strcontains(bucket.policy, jsonencode({ "aws:PrincipalAccount" = ["123456789012", "111122223333"] }))
    ])
    error_message = "the image buckets deny the trusted account, or admit others: ${module.source_bucket[0].policy}"
  }

  assert {
    condition = [
      for statement in jsondecode(module.source_bucket[0].policy).Statement : [statement.Action, statement.Principal, statement.Resource]
      if statement.Effect == "Allow"
      ] == [[
        ["s3:AbortMultipartUpload", "s3:ListMultipartUploadParts", "s3:PutObject"],
        { AWS = ["arn:aws:iam::111122223333:root"] },
        ["arn:aws:s3:::image-converter-source-123456789012-eu-central-1/*"],
    ]]
    error_message = "the trusted account may do something else: ${module.source_bucket[0].policy}"
  }

  assert {
    condition = [
      for statement in jsondecode(module.destination_bucket[0].policy).Statement : statement.Action
      if statement.Effect == "Allow"
    ] == [["s3:GetObject", "s3:GetObjectVersion", "s3:ListBucket"]]
    error_message = "the trusted account may do something else: ${module.destination_bucket[0].policy}"
  }

  assert {
    condition     = !strcontains(module.access_logs_bucket[0].policy, "111122223333")
    error_message = "the trusted account may read access logs: ${module.access_logs_bucket[0].policy}"
  }

  assert {
    condition = [
      for statement in jsondecode(module.key.policy).Statement : [statement.Principal, statement.Action, statement.Condition]
      if statement.Sid == "TrustedAccountsThroughTheBuckets"
      ] == [[
        { AWS = ["arn:aws:iam::111122223333:root"] },
        ["kms:Decrypt", "kms:GenerateDataKey"],
        {
          StringEquals = { "kms:ViaService" = "s3.eu-central-1.amazonaws.com" }
          StringLike = {
            "kms:EncryptionContext:aws:s3:arn" = [
              "arn:aws:s3:::image-converter-source-123456789012-eu-central-1",
              "arn:aws:s3:::image-converter-source-123456789012-eu-central-1/*",
              "arn:aws:s3:::image-converter-destination-123456789012-eu-central-1",
              "arn:aws:s3:::image-converter-destination-123456789012-eu-central-1/*",
            ]
          }
        },
    ]]
    error_message = "the trusted account may use the key for something else: ${module.key.policy}"
  }
}

run "jpegs_are_kept_with_snapshots_shorter_waits_and_a_budget" {
  variables {
    source_after       = "keep"
    functions          = { upload = { snap_start = true } }
    retry              = { interval_seconds = 1, any_error_interval_seconds = 1, backoff_rate = 1 }
    monthly_budget_usd = 50
    bucket_names       = { source = "my-uploads", destination = "my-images" }
  }

  # Only JPEGs are kept.
  assert {
    condition = contains(flatten([
      for statement in jsondecode(module.function["delete_file"].policy).Statement : statement.Action
    ]), "s3:DeleteObject")
    error_message = "delete_file may not delete other files: ${module.function["delete_file"].policy}"
  }

  # Snapshots of one function.
  assert {
    condition     = module.function["upload"].qualifier == "snapshot" && module.function["trigger"].qualifier == null
    error_message = "upload is called by ${jsonencode(module.function["upload"].qualifier)}, trigger by ${jsonencode(module.function["trigger"].qualifier)}"
  }

  assert {
    condition     = endswith(module.function["upload"].arn, ":snapshot") && !endswith(module.function["trigger"].arn, ":snapshot")
    error_message = "upload is called as ${module.function["upload"].arn}, trigger as ${module.function["trigger"].arn}"
  }

  # Shorter waits.
  assert {
    condition = alltrue([
      for rule in jsondecode(module.state_machine.definition).States.WriteToDynamoDb.Retry : rule.IntervalSeconds == 1 if can(rule.IntervalSeconds)
    ])
    error_message = "rules wait ${jsonencode(jsondecode(module.state_machine.definition).States.WriteToDynamoDb.Retry)}"
  }

  # The budget reaches topic and key.
  assert {
    condition     = module.alarms[0].budget_name == "image-converter-eu-central-1"
    error_message = "the budget is ${jsonencode(module.alarms[0].budget_name)}"
  }

  assert {
    condition     = strcontains(module.key.policy, "budgets.amazonaws.com")
    error_message = "the budget may not use the key of the topic: ${module.key.policy}"
  }
}

run "other_types_are_kept_by_an_organisation" {
  variables {
    other_types              = "keep"
    kms_key_arn              = "arn:aws:kms:eu-central-1:123456789012:key/99999999-2222-3333-4444-555555555555"
    alarm_topic_arn          = "arn:aws:sns:eu-central-1:123456789012:on-call"
    access_logs_bucket       = "the-logs"
    monthly_budget_usd       = 5
    role_path                = "/pictures/"
    permissions_boundary_arn = "arn:aws:iam::123456789012:policy/boundary"
  }

  # Only other types are kept.
  assert {
    condition = contains(flatten([
      for statement in jsondecode(module.function["delete_file"].policy).Statement : statement.Action
    ]), "s3:DeleteObject")
    error_message = "delete_file may not delete JPEGs: ${module.function["delete_file"].policy}"
  }

  # Key, topic and bucket are those of the organisation.
  assert {
    condition     = output.kms_key_arn == var.kms_key_arn && module.key.policy == null
    error_message = "another key is used, or made: ${output.kms_key_arn}"
  }

  assert {
    condition     = output.alarm_topic_arn == var.alarm_topic_arn && output.access_logs_bucket == "the-logs" && length(module.access_logs_bucket) == 0
    error_message = "the topic is ${output.alarm_topic_arn}, the bucket ${output.access_logs_bucket}"
  }

  assert {
    condition = (
      sort([for statement in output.kms_key_statements : statement.Sid]) == sort([
        "AlarmsOfThisStack", "BudgetsOfThisAccount", "LogGroupsOfThisStack", "NotificationsOfTheSourceBucket",
      ])
      && [for statement in output.alarm_topic_statements : statement.Sid] == ["AlarmsOfThisStack", "BudgetsOfThisAccount"]
    )
    error_message = "services may not use key and topic: ${jsonencode(output.kms_key_statements)}, ${jsonencode(output.alarm_topic_statements)}"
  }

  # Roles with a path write to the destination.
  assert {
    condition     = alltrue([for arn in local.writer_role_arns : startswith(arn, "arn:aws:iam::123456789012:role/pictures/image-converter-")])
    error_message = "the bucket's policy admits ${jsonencode(local.writer_role_arns)}"
  }
}
