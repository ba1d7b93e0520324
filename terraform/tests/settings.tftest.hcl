# What is derived from the variables, and how the pieces fit.

mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  package_dir = "./tests/package"
}

run "defaults" {
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
}

run "the_function_gets_the_largest_image" {
  command = plan

  variables {
    functions = { resize_image = { memory_mb = 1024 } }
  }

  assert {
    condition = (
      local.function_environments.resize_image.MAX_IMAGE_PIXELS == tostring(local.max_image_pixels)
      && local.function_environments.resize_image.MAX_IMAGE_BYTES == "67108864"
    )
    error_message = "the settings of resize_image are ${jsonencode(local.function_environments.resize_image)}"
  }

  assert {
    condition     = local.function_environments.upload.MAX_FORM_BYTES == "67108864"
    error_message = "the form accepts ${local.function_environments.upload.MAX_FORM_BYTES} bytes, which are not converted"
  }
}

run "a_form_for_more_than_is_converted_is_refused" {
  command = plan

  variables {
    functions   = { resize_image = { memory_mb = 1024 } }
    upload_form = { max_bytes = 67108865 }
  }

  expect_failures = [output.upload_form_url]
}

run "one_functions_settings" {
  command = plan

  variables {
    functions = { copy_file = { timeout_seconds = 900 }, trigger = { reserved_concurrency = 5 } }
  }

  assert {
    condition     = local.function_settings.copy_file.timeout_seconds == 900 && local.function_settings.copy_file.memory_mb == 192
    error_message = "copy_file has ${jsonencode(local.function_settings.copy_file)}"
  }

  assert {
    condition     = local.function_settings.trigger.reserved_concurrency == 5 && local.function_settings.upload.reserved_concurrency == null
    error_message = "trigger has ${jsonencode(local.function_settings.trigger)}"
  }
}

run "snap_start" {
  variables {
    functions = { upload = { snap_start = true } }
  }

  assert {
    condition     = module.function["upload"].qualifier == "snapshot" && module.function["trigger"].qualifier == null
    error_message = "upload is called by ${jsonencode(module.function["upload"].qualifier)}, trigger by ${jsonencode(module.function["trigger"].qualifier)}"
  }

  assert {
    condition     = endswith(module.function["upload"].arn, ":snapshot") && !endswith(module.function["trigger"].arn, ":snapshot")
    error_message = "upload is called as ${module.function["upload"].arn}, trigger as ${module.function["trigger"].arn}"
  }
}

run "express" {
  variables {
    workflow_type = "EXPRESS"
  }

  assert {
    condition     = jsondecode(module.state_machine.definition).TimeoutSeconds == 300
    error_message = "an EXPRESS execution ends after ${jsondecode(module.state_machine.definition).TimeoutSeconds} s"
  }

  assert {
    condition     = strcontains(output.commands.watch, "aws logs start-query --log-group-name /aws/vendedlogs/states/image-converter ")
    error_message = "executions without a history are watched by ${output.commands.watch}"
  }

  assert {
    condition     = one(aws_cloudwatch_query_definition.executions).log_group_names[0] == "/aws/vendedlogs/states/image-converter"
    error_message = "the saved query reads ${one(aws_cloudwatch_query_definition.executions).log_group_names[0]}"
  }

  assert {
    condition     = strcontains(one(aws_cloudwatch_dashboard.this).dashboard_body, "/aws/vendedlogs/states/image-converter")
    error_message = "the dashboard does not show how much is logged of executions"
  }

  assert {
    condition     = local.state_machine_log_class == "INFREQUENT_ACCESS"
    error_message = "what only tools read is stored as ${local.state_machine_log_class}"
  }

  assert {
    condition     = local.log_format == "JSON" && local.system_log_level == "WARN"
    error_message = "Lambda logs what the execution's log has as well: ${local.log_format}, ${local.system_log_level}"
  }

  assert {
    condition     = strcontains(one(aws_cloudwatch_dashboard.this).dashboard_body, "count(coldStartMs) as cold") && !strcontains(one(aws_cloudwatch_dashboard.this).dashboard_body, "REPORT")
    error_message = "the dashboard looks for lines that are not logged"
  }
}

run "express_with_the_lines_of_lambda" {
  variables {
    workflow_type    = "EXPRESS"
    system_log_level = "INFO"
  }

  assert {
    condition     = local.log_format == "JSON" && local.system_log_level == "INFO" && strcontains(one(aws_cloudwatch_dashboard.this).dashboard_body, "platform.report")
    error_message = "Lambda logs in ${local.log_format} from ${local.system_log_level}"
  }
}

run "express_with_the_lines_of_lambda_as_text" {
  variables {
    workflow_type = "EXPRESS"
    log_format    = "Text"
  }

  assert {
    condition     = local.log_format == "Text" && local.system_log_level == "INFO"
    error_message = "Lambda logs in ${local.log_format} from ${local.system_log_level}"
  }
}

run "standard_logs_as_before" {
  assert {
    condition     = local.log_format == "Text" && local.system_log_level == "INFO" && strcontains(one(aws_cloudwatch_dashboard.this).dashboard_body, "REPORT")
    error_message = "Lambda logs in ${local.log_format} from ${local.system_log_level}"
  }

  assert {
    condition     = strcontains(one(aws_cloudwatch_dashboard.this).dashboard_body, "resize_image * 1769 / 1024 / 1000")
    error_message = "the dashboard does not show the functions' GB-seconds"
  }
}

run "express_with_events" {
  variables {
    workflow_type = "EXPRESS"
    events        = { bus = "default" }
  }

  assert {
    condition     = local.state_machine_log_class == "STANDARD"
    error_message = "the subscription filter needs the class STANDARD, not ${local.state_machine_log_class}"
  }
}

run "a_pause" {
  command = plan

  variables {
    paused = true
  }

  assert {
    condition     = !module.ingest.enabled
    error_message = "executions start in a pause"
  }
}

run "shorter_waits" {
  variables {
    retry = { interval_seconds = 1, any_error_interval_seconds = 1, backoff_rate = 1 }
  }

  assert {
    condition = alltrue([
      for rule in jsondecode(module.state_machine.definition).States.WriteToDynamoDb.Retry : rule.IntervalSeconds == 1 if can(rule.IntervalSeconds)
    ])
    error_message = "rules wait ${jsonencode(jsondecode(module.state_machine.definition).States.WriteToDynamoDb.Retry)}"
  }
}

run "a_budget_reaches_topic_and_key" {
  variables {
    monthly_budget_usd = 50
  }

  assert {
    condition     = module.alarms[0].budget_name == "image-converter-eu-central-1"
    error_message = "the budget is ${jsonencode(module.alarms[0].budget_name)}"
  }

  assert {
    condition     = strcontains(module.key.policy, "budgets.amazonaws.com")
    error_message = "the budget may not use the key of the topic: ${module.key.policy}"
  }
}

run "only_the_png_by_default" {
  command = plan

  assert {
    condition = alltrue([
      for function in ["upload", "resize_image"] : !contains(keys(local.function_environments[function]), "RENDITIONS")
    ])
    error_message = "the functions are configured for ${jsonencode(local.renditions)}"
  }
}

run "renditions" {
  command = plan

  variables {
    renditions = [
      { name = "small", format = "jpeg", max_width = 1280 },
      { name = "png", format = "png", cache_control = null },
    ]
  }

  assert {
    condition = local.function_environments.resize_image.RENDITIONS == jsonencode([
      { format = "jpeg", key = "{dir}{stem}-{name}.{ext}", max_width = 1280, name = "small" },
      { format = "png", key = "{dir}{stem}-{name}.{ext}", name = "png" },
    ])
    error_message = "the function makes ${local.function_environments.resize_image.RENDITIONS}"
  }

  assert {
    condition     = local.function_environments.upload.RENDITIONS == local.function_environments.resize_image.RENDITIONS
    error_message = "the upload function does not know the keys that will follow from a name"
  }

  assert {
    condition     = local.function_settings.resize_image.timeout_seconds == 288
    error_message = "resize_image ends after ${local.function_settings.resize_image.timeout_seconds} s"
  }
}
