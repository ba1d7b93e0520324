# The ready-made commands on AWS; the end-to-end tests run those of the local AWS.

mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  package_dir = "./tests/package"
}

run "on_aws_no_endpoint_is_named" {
  override_module {
    target = module.ingest
    outputs = {
      queue_url             = "https://sqs.eu-central-1.amazonaws.com/123456789012/image-converter"
      dead_letter_queue_url = "https://sqs.eu-central-1.amazonaws.com/123456789012/image-converter-dead-letters"
    }
  }

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
}

run "with_a_jwt_no_request_is_signed" {
  variables {
    upload_jwt = {
      issuer   = "https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_example"
      audience = ["example"]
    }
  }

  assert {
    condition     = strcontains(output.commands.upload_form, "authorization: Bearer $TOKEN") && !strcontains(output.commands.upload_form, "sigv4")
    error_message = "upload_form is ${output.commands.upload_form}"
  }
}

run "a_log_of_the_standard_class_is_filtered" {
  variables {
    workflow_type           = "EXPRESS"
    state_machine_log_class = "STANDARD"
  }

  assert {
    condition     = strcontains(output.commands.watch, "filter-log-events --log-group-name /aws/vendedlogs/states/")
    error_message = "watch is ${output.commands.watch}"
  }
}

run "express_has_events_in_its_log_only" {
  variables {
    workflow_type = "EXPRESS"
  }

  assert {
    condition     = strcontains(output.commands.watch, "start-query --log-group-name /aws/vendedlogs/states/")
    error_message = "watch is ${output.commands.watch}"
  }
}

run "without_an_upload_api_there_are_no_commands_for_it" {
  variables {
    create_upload_api = false
  }

  assert {
    condition     = !anytrue([for name in keys(output.commands) : strcontains(name, "upload_")])
    error_message = "commands has ${join(", ", keys(output.commands))}"
  }
}
