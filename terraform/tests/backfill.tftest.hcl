# The state machine of a backfill: made on demand, and what its role may do.

mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  package_dir = "./tests/package"
  tracing     = false
}

run "on_demand" {
  variables {
    backfill           = { enabled = true, max_concurrency = 7, tolerated_failure_percentage = 2.5, timeout_seconds = 600 }
    backfill_manifests = [{ bucket = "inventories", prefix = "photos/" }, { bucket = "lists", kms_key_arn = "arn:aws:kms:eu-central-1:123456789012:key/99999999-2222-3333-4444-555555555555" }]
    source_filter      = { suffixes = [".jpg"] }
  }

  assert {
    condition = sort(flatten([
      for statement in jsondecode(module.backfill[0].policy).Statement : [
        for action in statement.Action : [for resource in statement.Resource : "${action} ${resource}"]
      ] if statement.Sid != "DeliverLogs"
      ])) == tolist([
      "kms:Decrypt arn:aws:kms:eu-central-1:123456789012:key/11111111-2222-3333-4444-555555555555",
      "kms:Decrypt arn:aws:kms:eu-central-1:123456789012:key/11111111-2222-3333-4444-555555555555",
      "kms:Decrypt arn:aws:kms:eu-central-1:123456789012:key/99999999-2222-3333-4444-555555555555",
      "kms:GenerateDataKey arn:aws:kms:eu-central-1:123456789012:key/11111111-2222-3333-4444-555555555555",
      "kms:GenerateDataKey arn:aws:kms:eu-central-1:123456789012:key/11111111-2222-3333-4444-555555555555",
      "s3:AbortMultipartUpload arn:aws:s3:::image-converter-destination-123456789012-eu-central-1/backfill/results/*",
      "s3:GetObject arn:aws:s3:::image-converter-destination-123456789012-eu-central-1/backfill-manifests/*",
      "s3:GetObject arn:aws:s3:::inventories/photos/*",
      "s3:GetObject arn:aws:s3:::lists/*",
      "s3:ListBucket arn:aws:s3:::image-converter-source-123456789012-eu-central-1",
      "s3:ListMultipartUploadParts arn:aws:s3:::image-converter-destination-123456789012-eu-central-1/backfill/results/*",
      "s3:PutObject arn:aws:s3:::image-converter-destination-123456789012-eu-central-1/backfill/results/*",
      "sqs:SendMessage arn:aws:sqs:eu-central-1:123456789012:image-converter",
      "states:DescribeExecution arn:aws:states:eu-central-1:123456789012:execution:image-converter-backfill/*",
      "states:RedriveExecution arn:aws:states:eu-central-1:123456789012:execution:image-converter-backfill/*",
      "states:StartExecution arn:aws:states:eu-central-1:123456789012:stateMachine:image-converter-backfill",
      "states:StopExecution arn:aws:states:eu-central-1:123456789012:execution:image-converter-backfill/*",
    ])
    error_message = "the role of the backfill may do more or less than this file says: ${module.backfill[0].policy}"
  }

  assert {
    condition = alltrue([
      for statement in jsondecode(module.backfill[0].policy).Statement : can(statement.Condition.StringEquals["kms:ViaService"])
      if anytrue([for action in statement.Action : startswith(action, "kms:")])
    ])
    error_message = "the role may use a key other than through the service that holds the data"
  }

  # Children of a Map are of the state machine NAME/LABEL to AWS.
  assert {
    condition = jsonencode([
      for policy in [module.backfill[0].trust_policy, module.state_machine.trust_policy] :
      jsondecode(policy).Statement[0].Condition.ArnLike["aws:SourceArn"]
      ]) == jsonencode([
      ["arn:aws:states:eu-central-1:123456789012:stateMachine:image-converter-backfill", "arn:aws:states:eu-central-1:123456789012:stateMachine:image-converter-backfill/*"],
      ["arn:aws:states:eu-central-1:123456789012:stateMachine:image-converter"],
    ])
    error_message = "the roles trust ${module.backfill[0].trust_policy} and ${module.state_machine.trust_policy}"
  }

  assert {
    condition     = module.backfill[0].policy != module.state_machine.policy && !strcontains(module.state_machine.policy, "sqs:SendMessage")
    error_message = "the pipeline's role has become the backfill's, too"
  }

  assert {
    condition = toset([for name in module.alarms[0].names : name if strcontains(name, "backfill")]) == toset([
      "image-converter-backfill-failed", "image-converter-backfill-timed-out",
    ])
    error_message = "the alarms are ${jsonencode(module.alarms[0].names)}"
  }

  # Only the manifests' place is open to others than the pipeline, to which the backfill belongs: it writes results.
  assert {
    condition = jsonencode([
      for statement in jsondecode(module.destination_bucket[0].policy).Statement :
      [statement.NotResource, statement.Condition.ArnNotEquals["aws:PrincipalArn"]] if statement.Sid == "OnlyThePipelineWrites"
      ]) == jsonencode([[
        ["arn:aws:s3:::image-converter-destination-123456789012-eu-central-1/backfill-manifests/*"],
        [for writer in ["copy_file", "resize_image", "backfill"] : "arn:aws:iam::123456789012:role/${output.role_names[writer]}"],
    ]])
    error_message = "the policy of the destination bucket is ${module.destination_bucket[0].policy}"
  }

  # Functions may do this in addition.
  assert {
    condition = jsonencode({
      for function, statements in local.backfill_function_permissions : function => sort(flatten([
        for statement in statements : [
          for action in statement.actions : [for resource in statement.resources : "${action} ${resource}"]
        ]
      ]))
      }) == jsonencode({
      trigger = [
        "dynamodb:GetItem arn:aws:dynamodb:eu-central-1:123456789012:table/image-converter",
        "kms:Decrypt arn:aws:kms:eu-central-1:123456789012:key/11111111-2222-3333-4444-555555555555",
        "s3:GetObject arn:aws:s3:::image-converter-destination-123456789012-eu-central-1/*",
        "s3:GetObject arn:aws:s3:::image-converter-source-123456789012-eu-central-1/*",
        "s3:ListBucket arn:aws:s3:::image-converter-destination-123456789012-eu-central-1",
        "s3:ListBucket arn:aws:s3:::image-converter-source-123456789012-eu-central-1",
      ]
      get_file_type = [
        "s3:GetObject arn:aws:s3:::image-converter-destination-123456789012-eu-central-1/*",
        "s3:GetObjectVersion arn:aws:s3:::image-converter-destination-123456789012-eu-central-1/*",
        "s3:ListBucket arn:aws:s3:::image-converter-destination-123456789012-eu-central-1",
      ]
      copy_file    = ["s3:GetObjectVersion arn:aws:s3:::image-converter-destination-123456789012-eu-central-1/*"]
      resize_image = ["s3:GetObjectVersion arn:aws:s3:::image-converter-destination-123456789012-eu-central-1/*"]
    })
    error_message = "the functions may do ${jsonencode(local.backfill_function_permissions)} in addition"
  }

  assert {
    condition     = !strcontains(module.function["delete_file"].policy, "destination")
    error_message = "delete_file may do something in the destination bucket: ${module.function["delete_file"].policy}"
  }

  assert {
    condition = local.backfill_trigger_environment == {
      DESTINATION_BUCKET = "image-converter-destination-123456789012-eu-central-1"
      PNG_COMPRESSION    = "fast"
      TABLE_NAME         = "image-converter"
    }
    error_message = "the trigger is given ${jsonencode(local.backfill_trigger_environment)}"
  }

  # Settings reach the definition.
  assert {
    condition = (
      jsondecode(module.backfill[0].definition).TimeoutSeconds == 600
      && alltrue([
        for name, state in jsondecode(module.backfill[0].definition).States :
        state.MaxConcurrency == 7 && state.ToleratedFailurePercentage == 2.5 if state.Type == "Map"
      ])
    )
    error_message = "the settings are lost in ${module.backfill[0].definition}"
  }

  assert {
    condition     = jsondecode(module.backfill[0].definition).States.SendObjects.ItemProcessor.States.ReadObjectBatch.Output.filter == { encoded = true, prefixes = [], suffixes = [".jpg"] }
    error_message = "source_filter is lost in ${module.backfill[0].definition}"
  }
}

# EventBridge compares keys as they are, S3 as they are URL-encoded.
run "existing_buckets" {
  command = plan

  variables {
    backfill                    = { enabled = true }
    existing_source_bucket      = "photos"
    source_after                = "keep"
    source_filter               = { prefixes = ["a b/"] }
    existing_destination_bucket = { name = "images", prefix = "png/", kms_key_arn = "arn:aws:kms:eu-central-1:123456789012:key/22222222-2222-3333-4444-555555555555" }
  }

  assert {
    condition     = local.backfill_manifests_place == "png/backfill-manifests/"
    error_message = "manifests are read from ${local.backfill_manifests_place}"
  }

  assert {
    condition     = strcontains(local.backfill_items.Object, "{\"encoded\":false,\"prefixes\":[\"a b/\"],\"suffixes\":[]}")
    error_message = "source_filter is lost in ${local.backfill_items.Object}"
  }

  assert {
    condition = [
      for statement in local.backfill_function_permissions.get_file_type : statement.resources if statement.sid == "DecryptOriginals"
    ] == [["arn:aws:kms:eu-central-1:123456789012:key/22222222-2222-3333-4444-555555555555"]]
    error_message = "get_file_type cannot read encrypted originals"
  }

  assert {
    condition     = strcontains(join(" ", output.existing_buckets_need), "backfill, copy_file and resize_image (output role_arns), except to png/backfill-manifests/*") && strcontains(join(" ", output.existing_buckets_need), "must not deny the roles of backfill, trigger, get_file_type")
    error_message = "the owners of the buckets read ${jsonencode(output.existing_buckets_need)}"
  }
}
