# What there is of each topic if no variable is set: to apply takes longer than all that is asserted of it.

mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  package_dir = "./tests/package"
}

run "nothing_is_set" {
  assert {
    condition     = jsondecode(module.state_machine.definition).TimeoutSeconds == 3600
    error_message = "an execution ends after ${jsondecode(module.state_machine.definition).TimeoutSeconds} s"
  }

  assert {
    condition = jsondecode(module.state_machine.definition).States.GetFileType.Retry[2] == {
      ErrorEquals     = ["States.TaskFailed", "States.Timeout"]
      IntervalSeconds = 5
      MaxAttempts     = 2
      BackoffRate     = 2
    }
    error_message = "the article's first rule has become ${jsonencode(jsondecode(module.state_machine.definition).States.GetFileType.Retry[2])}"
  }

  assert {
    condition     = jsondecode(module.state_machine.definition).States.GetFileType.Retry[0].MaxAttempts == 0
    error_message = "what no retry can fix is tried again"
  }

  assert {
    condition = alltrue([
      for branch, task in { CopyToDestination = "copy_file", ResizeImage = "resize_image" } :
      flatten([for parallel in jsondecode(module.state_machine.definition).States.ProcessFile.Branches : [
        for name, state in parallel.States : state.TimeoutSeconds if name == branch
      ]])[0] > local.function_settings[task].timeout_seconds
    ])
    error_message = "a task times out before its function does"
  }

  assert {
    condition     = output.commands.destroy == "terraform -chdir=terraform destroy"
    error_message = "destroy is ${output.commands.destroy}"
  }

  assert {
    condition = (
      strcontains(output.commands.start, "--state-machine-arn ${output.state_machine_arn} --input ")
      && strcontains(output.commands.start, "--bucket ${output.source_bucket} --prefix photo.jpg")
      && strcontains(output.commands.start, "{name: `\"${output.source_bucket}\"`}")
    )
    error_message = "the command that starts an execution is ${output.commands.start}"
  }

  # What Lambda logs, and the dashboard looks for.
  assert {
    condition     = local.log_format == "Text" && local.system_log_level == "INFO" && strcontains(one(aws_cloudwatch_dashboard.this).dashboard_body, "REPORT")
    error_message = "Lambda logs in ${local.log_format} from ${local.system_log_level}"
  }

  assert {
    condition     = strcontains(one(aws_cloudwatch_dashboard.this).dashboard_body, "resize_image * 1769 / 1024 / 1000")
    error_message = "the dashboard does not show the functions' GB-seconds"
  }

  # Renditions.
  assert {
    condition = alltrue([
      for function in ["upload", "resize_image"] : !contains(keys(local.function_environments[function]), "RENDITIONS")
    ])
    error_message = "the functions are configured for ${jsonencode(local.renditions)}"
  }

  # Names derive from name, account and region.
  assert {
    condition = output.function_names == {
      upload            = "image-converter-upload"
      trigger           = "image-converter-trigger"
      get_file_type     = "image-converter-get-file-type"
      copy_file         = "image-converter-copy-file"
      resize_image      = "image-converter-resize-image"
      write_to_dynamodb = "image-converter-write-to-dynamodb"
      delete_file       = "image-converter-delete-file"
    }
    error_message = "the functions are named ${jsonencode(output.function_names)}"
  }

  assert {
    condition = local.bucket_names == {
      source      = "image-converter-source-123456789012-eu-central-1"
      destination = "image-converter-destination-123456789012-eu-central-1"
      access_logs = "image-converter-access-logs-123456789012-eu-central-1"
    }
    error_message = "the buckets are named ${jsonencode(local.bucket_names)}"
  }

  assert {
    condition     = alltrue([for log_group in [output.log_groups.state_machine, output.log_groups.upload_api] : startswith(log_group, "/aws/vendedlogs/")])
    error_message = "log groups that services deliver to are ${jsonencode(output.log_groups)}"
  }

  assert {
    condition     = alltrue([for name in values(local.role_names) : endswith(name, "-eu-central-1")])
    error_message = "two regions of an account would share roles: ${jsonencode(local.role_names)}"
  }

  # The ready-made commands on AWS; the end-to-end tests run those of the local AWS.
  assert {
    condition     = !strcontains(jsonencode(output.commands), "endpoint-url")
    error_message = "A command of a stack on AWS names an endpoint: ${jsonencode(output.commands)}"
  }

  assert {
    condition     = !strcontains(jsonencode(output.commands), "logs tail")
    error_message = "Version 1 of the AWS CLI has no `logs tail`."
  }

  assert {
    condition     = strcontains(output.commands.upload_api, "--aws-sigv4") && strcontains(output.commands.upload_api, "AWS_SESSION_TOKEN:+")
    error_message = "upload_api signs with ${output.commands.upload_api}"
  }

  # Permissions: only traces and log deliveries name no resource.
  assert {
    condition = alltrue(flatten([
      for policy in concat([for function in values(module.function) : function.policy], [module.state_machine.policy]) : [
        for statement in jsondecode(policy).Statement : [
          for action in statement.Action :
          !strcontains(action, "*") && (startswith(action, "xray:") || startswith(action, "logs:") || !contains(statement.Resource, "*"))
        ]
      ]
    ]))
    error_message = "a permission has a wildcard that it does not need"
  }

  # What becomes of the source objects.
  assert {
    condition = (
      local.function_environments.delete_file.SOURCE_AFTER == "delete"
      && local.function_environments.delete_file.OTHER_TYPES == "delete"
    )
    error_message = "The settings of delete_file are ${jsonencode(local.function_environments.delete_file)}"
  }

  # Events.
  assert {
    condition     = length(module.report_failure) + length(aws_cloudwatch_log_subscription_filter.failures) + length(local.send_events) == 0
    error_message = "without events something of them is planned"
  }

  assert {
    condition     = !contains(keys(local.function_environments.write_to_dynamodb), "EVENT_BUS")
    error_message = "write_to_dynamodb would send events"
  }

  # The backfill.
  assert {
    condition     = length(module.backfill) == 0 && output.backfill_state_machine_arn == null
    error_message = "there is a state machine that nobody asked for"
  }

  assert {
    condition     = !strcontains(jsonencode(module.alarms[0].names), "backfill")
    error_message = "there is an alarm that nobody asked for"
  }

  assert {
    condition     = !contains(keys(output.role_names), "backfill") && !contains(keys(output.log_groups), "backfill")
    error_message = "there is a role or a log group that nobody asked for"
  }

  assert {
    condition     = local.backfill_function_permissions == {} && local.backfill_trigger_environment == {}
    error_message = "a function has more than it needs"
  }

  assert {
    condition     = strcontains(module.destination_bucket[0].policy, "\"Resource\":[\"arn:aws:s3:::image-converter-destination-123456789012-eu-central-1/*\"],\"Sid\":\"OnlyThePipelineWrites\"")
    error_message = "the policy of the destination bucket is ${module.destination_bucket[0].policy}"
  }
}
