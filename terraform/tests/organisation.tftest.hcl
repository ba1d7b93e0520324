# What an organisation prescribes, and what can be left out.

mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  package_dir = "./tests/package"
}

run "an_existing_key_topic_and_bucket" {
  variables {
    kms_key_arn        = "arn:aws:kms:eu-central-1:123456789012:key/99999999-2222-3333-4444-555555555555"
    alarm_topic_arn    = "arn:aws:sns:eu-central-1:123456789012:on-call"
    access_logs_bucket = "the-logs"
    monthly_budget_usd = 5
  }

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
}

run "a_key_of_another_region" {
  command = plan

  variables {
    kms_key_arn     = "arn:aws:kms:us-east-1:123456789012:key/99999999-2222-3333-4444-555555555555"
    alarm_topic_arn = "arn:aws:sns:us-east-1:123456789012:on-call"
  }

  expect_failures = [output.kms_key_arn, output.alarm_topic_arn]
}

run "roles_with_a_path_write_to_the_destination" {
  variables {
    role_path                = "/pictures/"
    permissions_boundary_arn = "arn:aws:iam::123456789012:policy/boundary"
  }

  assert {
    condition     = alltrue([for arn in local.writer_role_arns : startswith(arn, "arn:aws:iam::123456789012:role/pictures/image-converter-")])
    error_message = "the bucket's policy admits ${jsonencode(local.writer_role_arns)}"
  }
}

run "trusted_accounts" {
  variables {
    trusted_account_ids = ["111122223333"]
  }

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

run "without_upload_api_alarms_and_dashboard" {
  variables {
    create_upload_api = false
    create_alarms     = false
    create_dashboard  = false
  }

  assert {
    condition = (
      output.upload_url == null && output.upload_api_id == null && !contains(keys(output.function_names), "upload") &&
      !contains(keys(output.role_names), "upload") && !contains(keys(output.log_groups), "upload_api")
    )
    error_message = "something of the upload API is left: ${jsonencode(output.function_names)}"
  }

  assert {
    condition     = output.alarm_topic_arn == null && output.dashboard_url == null && length(aws_cloudwatch_dashboard.this) == 0
    error_message = "alarms or dashboard are left"
  }
}

run "without_a_dashboard_alarms_do_not_link_to_it" {
  variables {
    create_dashboard = false
  }

  assert {
    condition     = length(module.alarms[0].names) == 6 && local.dashboard_url == null
    error_message = "the alarms are ${jsonencode(module.alarms[0].names)}"
  }
}
