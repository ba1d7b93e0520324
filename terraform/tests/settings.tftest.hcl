# What is derived from the variables, and how the pieces fit.

mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  package_dir = "./tests/package"
}

run "values_of_ones_own" {
  command = plan

  variables {
    name             = "pictures"
    bucket_names     = { source = "my-uploads" }
    functions        = { copy_file = { timeout_seconds = 900 }, trigger = { reserved_concurrency = 5 } }
    paused           = true
    source_filter    = { prefixes = ["in/"] }
    create_dashboard = false
    renditions = [
      { name = "small", format = "jpeg", max_width = 1280 },
      { name = "png", format = "png", cache_control = null },
    ]
  }

  assert {
    condition     = local.bucket_names.source == "my-uploads" && local.bucket_names.destination == "pictures-destination-123456789012-eu-central-1"
    error_message = "the buckets are named ${jsonencode(local.bucket_names)}"
  }

  assert {
    condition     = output.table_name == "pictures"
    error_message = "the table is named ${output.table_name}"
  }

  assert {
    condition     = local.function_settings.copy_file.timeout_seconds == 900 && local.function_settings.copy_file.memory_mb == 192
    error_message = "copy_file has ${jsonencode(local.function_settings.copy_file)}"
  }

  assert {
    condition     = local.function_settings.trigger.reserved_concurrency == 5 && local.function_settings.upload.reserved_concurrency == null
    error_message = "trigger has ${jsonencode(local.function_settings.trigger)}"
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

  assert {
    condition     = !module.ingest.enabled
    error_message = "executions start in a pause"
  }

  assert {
    condition     = jsonencode(module.ingest.filters) == jsonencode([{ prefix = "in/", suffix = null }])
    error_message = "the module filters by ${jsonencode(module.ingest.filters)}"
  }

  # Without a dashboard alarms do not link to it.
  assert {
    condition     = length(module.alarms[0].names) == 6 && local.dashboard_url == null
    error_message = "the alarms are ${jsonencode(module.alarms[0].names)}"
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
    functions        = { resize_image = { memory_mb = 1024 } }
  }

  assert {
    condition     = local.log_format == "JSON" && local.system_log_level == "INFO" && strcontains(one(aws_cloudwatch_dashboard.this).dashboard_body, "platform.report")
    error_message = "Lambda logs in ${local.log_format} from ${local.system_log_level}"
  }

  # resize_image gets the largest image.
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

run "express_with_lines_as_text_and_a_log_of_the_standard_class" {
  variables {
    workflow_type           = "EXPRESS"
    log_format              = "Text"
    state_machine_log_class = "STANDARD"
  }

  assert {
    condition     = local.log_format == "Text" && local.system_log_level == "INFO"
    error_message = "Lambda logs in ${local.log_format} from ${local.system_log_level}"
  }

  assert {
    condition     = strcontains(output.commands.watch, "filter-log-events --log-group-name /aws/vendedlogs/states/")
    error_message = "watch is ${output.commands.watch}"
  }
}

run "express_with_events_to_another_account" {
  command = plan

  variables {
    workflow_type = "EXPRESS"
    events        = { bus = "arn:aws:events:us-east-1:210987654321:event-bus/pictures" }
  }

  assert {
    condition     = local.state_machine_log_class == "STANDARD"
    error_message = "the subscription filter needs the class STANDARD, not ${local.state_machine_log_class}"
  }

  assert {
    condition     = local.function_environments.write_to_dynamodb.EVENT_BUS == "arn:aws:events:us-east-1:210987654321:event-bus/pictures"
    error_message = "the bus is ${local.function_environments.write_to_dynamodb.EVENT_BUS}"
  }
}

run "without_upload_api_alarms_and_dashboard" {
  command = plan

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

  assert {
    condition     = !anytrue([for name in keys(output.commands) : strcontains(name, "upload_")])
    error_message = "commands has ${join(", ", keys(output.commands))}"
  }
}

run "keys_of_another_region_and_a_form_for_more_than_is_converted" {
  command = plan

  variables {
    kms_key_arn     = "arn:aws:kms:us-east-1:123456789012:key/99999999-2222-3333-4444-555555555555"
    alarm_topic_arn = "arn:aws:sns:us-east-1:123456789012:on-call"
    functions       = { resize_image = { memory_mb = 1024 } }
    upload_form     = { max_bytes = 67108865 }
  }

  expect_failures = [output.kms_key_arn, output.alarm_topic_arn, output.upload_form_url]
}
