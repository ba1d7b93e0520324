# Events: nothing of them exists unless they are asked for, and then each function may do what they need and no more.

mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  package_dir = "./tests/package"
  tracing     = false
}

run "none_by_default" {
  command = plan

  assert {
    condition     = length(module.report_failure) + length(aws_cloudwatch_log_subscription_filter.failures) + length(local.send_events) == 0
    error_message = "without events something of them is planned"
  }

  assert {
    condition     = !contains(keys(local.function_environments.write_to_dynamodb), "EVENT_BUS")
    error_message = "write_to_dynamodb would send events"
  }
}

run "to_the_default_bus" {
  variables {
    events = { bus = "default" }
  }

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
}

run "to_another_account" {
  command = plan

  variables {
    events = { bus = "arn:aws:events:us-east-1:210987654321:event-bus/pictures" }
  }

  assert {
    condition     = local.function_environments.write_to_dynamodb.EVENT_BUS == "arn:aws:events:us-east-1:210987654321:event-bus/pictures"
    error_message = "the bus is ${local.function_environments.write_to_dynamodb.EVENT_BUS}"
  }
}

run "not_without_the_log" {
  command = plan

  variables {
    events                           = { bus = "default" }
    state_machine_log_execution_data = false
  }

  expect_failures = [var.events]
}

run "not_with_fatal_events_only" {
  command = plan

  variables {
    events                  = { bus = "default" }
    state_machine_log_level = "FATAL"
  }

  expect_failures = [var.events]
}

run "not_to_a_name" {
  command = plan

  variables {
    events = { bus = "pictures" }
  }

  expect_failures = [var.events]
}
