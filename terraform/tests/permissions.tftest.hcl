# Everything that each role may do, action by action, with its resources.

mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  package_dir = "./tests/package"
  tracing     = false
}

run "every_role_may_do_exactly_this" {
  assert {
    condition = jsonencode({
      for function in keys(module.function) : function => sort(flatten([
        for statement in jsondecode(module.function[function].policy).Statement : [
          for action in statement.Action : [for resource in statement.Resource : "${action} ${resource}"]
        ] if statement.Sid != "WriteLogs"
      ]))
      }) == jsonencode({
      upload = [
        "kms:GenerateDataKey arn:aws:kms:eu-central-1:123456789012:key/11111111-2222-3333-4444-555555555555",
        "s3:PutObject arn:aws:s3:::image-converter-source-123456789012-eu-central-1/*",
      ]
      trigger = [
        "kms:Decrypt arn:aws:kms:eu-central-1:123456789012:key/11111111-2222-3333-4444-555555555555",
        "sqs:DeleteMessage arn:aws:sqs:eu-central-1:123456789012:image-converter",
        "sqs:GetQueueAttributes arn:aws:sqs:eu-central-1:123456789012:image-converter",
        "sqs:ReceiveMessage arn:aws:sqs:eu-central-1:123456789012:image-converter",
        "states:StartExecution arn:aws:states:eu-central-1:123456789012:stateMachine:image-converter",
      ]
      get_file_type = [
        "kms:Decrypt arn:aws:kms:eu-central-1:123456789012:key/11111111-2222-3333-4444-555555555555",
        "s3:GetObject arn:aws:s3:::image-converter-source-123456789012-eu-central-1/*",
        "s3:GetObjectVersion arn:aws:s3:::image-converter-source-123456789012-eu-central-1/*",
        "s3:ListBucket arn:aws:s3:::image-converter-source-123456789012-eu-central-1",
      ]
      copy_file = [
        "kms:Decrypt arn:aws:kms:eu-central-1:123456789012:key/11111111-2222-3333-4444-555555555555",
        "kms:GenerateDataKey arn:aws:kms:eu-central-1:123456789012:key/11111111-2222-3333-4444-555555555555",
        "s3:AbortMultipartUpload arn:aws:s3:::image-converter-destination-123456789012-eu-central-1/*",
        "s3:GetObject arn:aws:s3:::image-converter-destination-123456789012-eu-central-1/*",
        "s3:GetObject arn:aws:s3:::image-converter-source-123456789012-eu-central-1/*",
        "s3:GetObjectTagging arn:aws:s3:::image-converter-source-123456789012-eu-central-1/*",
        "s3:GetObjectVersion arn:aws:s3:::image-converter-source-123456789012-eu-central-1/*",
        "s3:GetObjectVersionTagging arn:aws:s3:::image-converter-source-123456789012-eu-central-1/*",
        "s3:ListBucket arn:aws:s3:::image-converter-destination-123456789012-eu-central-1",
        "s3:ListBucket arn:aws:s3:::image-converter-source-123456789012-eu-central-1",
        "s3:PutObject arn:aws:s3:::image-converter-destination-123456789012-eu-central-1/*",
        "s3:PutObjectTagging arn:aws:s3:::image-converter-destination-123456789012-eu-central-1/*",
      ]
      resize_image = [
        "kms:Decrypt arn:aws:kms:eu-central-1:123456789012:key/11111111-2222-3333-4444-555555555555",
        "kms:GenerateDataKey arn:aws:kms:eu-central-1:123456789012:key/11111111-2222-3333-4444-555555555555",
        "s3:GetObject arn:aws:s3:::image-converter-destination-123456789012-eu-central-1/*",
        "s3:GetObject arn:aws:s3:::image-converter-source-123456789012-eu-central-1/*",
        "s3:GetObjectVersion arn:aws:s3:::image-converter-source-123456789012-eu-central-1/*",
        "s3:ListBucket arn:aws:s3:::image-converter-destination-123456789012-eu-central-1",
        "s3:ListBucket arn:aws:s3:::image-converter-source-123456789012-eu-central-1",
        "s3:PutObject arn:aws:s3:::image-converter-destination-123456789012-eu-central-1/*",
      ]
      write_to_dynamodb = [
        "dynamodb:PutItem arn:aws:dynamodb:eu-central-1:123456789012:table/image-converter",
        "kms:Decrypt arn:aws:kms:eu-central-1:123456789012:key/11111111-2222-3333-4444-555555555555",
      ]
      delete_file = [
        "s3:DeleteObject arn:aws:s3:::image-converter-source-123456789012-eu-central-1/*",
        "s3:GetObject arn:aws:s3:::image-converter-source-123456789012-eu-central-1/*",
        "s3:ListBucket arn:aws:s3:::image-converter-source-123456789012-eu-central-1",
      ]
    })
    error_message = "a function may do more or less than this file says"
  }

  assert {
    condition = alltrue(flatten([
      for function in values(module.function) : [
        for statement in jsondecode(function.policy).Statement :
        can(statement.Condition.StringEquals["kms:ViaService"])
        if anytrue([for action in statement.Action : startswith(action, "kms:")])
      ]
    ]))
    error_message = "a function may use the key other than through the service that holds the data"
  }

  assert {
    condition = alltrue(flatten([
      for function in values(module.function) : [
        for statement in jsondecode(function.policy).Statement : statement.Resource == ["arn:aws:logs:eu-central-1:123456789012:log-group:mock:*"]
        if statement.Sid == "WriteLogs"
      ]
    ]))
    error_message = "a function may write other logs than its own"
  }

  assert {
    condition = jsonencode(sort(flatten([
      for statement in jsondecode(module.state_machine.policy).Statement : [
        for action in statement.Action : [for resource in distinct(statement.Resource) : "${action} ${resource}"]
      ]
      ]))) == jsonencode([
      "lambda:InvokeFunction arn:aws:lambda:eu-central-1:123456789012:function:mock",
      "logs:CreateLogDelivery *",
      "logs:DeleteLogDelivery *",
      "logs:DescribeLogGroups *",
      "logs:DescribeResourcePolicies *",
      "logs:GetLogDelivery *",
      "logs:ListLogDeliveries *",
      "logs:PutResourcePolicy *",
      "logs:UpdateLogDelivery *",
    ])
    error_message = "the state machine may do more or less than this file says: ${module.state_machine.policy}"
  }

  # The destroy guard may only see whether there are images.
  assert {
    condition = sort(flatten([
      for statement in jsondecode(module.destroy_guard.policy).Statement : [
        for action in statement.Action : [for resource in statement.Resource : "${action} ${resource}"]
      ] if statement.Sid != "WriteLogs"
      ])) == tolist([
      "s3:ListBucketVersions arn:aws:s3:::image-converter-destination-123456789012-eu-central-1",
      "s3:ListBucketVersions arn:aws:s3:::image-converter-source-123456789012-eu-central-1",
    ])
    error_message = "the guard may do something else: ${module.destroy_guard.policy}"
  }

  # It is asked before anything is destroyed.
  assert {
    condition     = aws_lambda_invocation.destroy_guard.lifecycle_scope == "CRUD"
    error_message = "the guard is called ${aws_lambda_invocation.destroy_guard.lifecycle_scope} only"
  }

  assert {
    condition     = jsondecode(aws_lambda_invocation.destroy_guard.input).forceDestroy == false
    error_message = "the guard lets images be destroyed though nobody has agreed: ${aws_lambda_invocation.destroy_guard.input}"
  }

  # Only the pipeline writes to the destination.
  assert {
    condition = jsonencode([
      for statement in jsondecode(module.destination_bucket[0].policy).Statement : statement if statement.Sid == "OnlyThePipelineWrites"
      ]) == jsonencode([{
        Action = ["s3:PutObject", "s3:PutObjectTagging", "s3:PutObjectVersionTagging", "s3:ReplicateObject"]
        Condition = {
          ArnNotEquals = {
            "aws:PrincipalArn" = [
              "arn:aws:iam::123456789012:role/image-converter-copy-file-eu-central-1",
              "arn:aws:iam::123456789012:role/image-converter-resize-image-eu-central-1",
            ]
          }
        }
        Effect    = "Deny"
        Principal = { AWS = ["*"] }
        Resource  = ["arn:aws:s3:::image-converter-destination-123456789012-eu-central-1/*"]
        Sid       = "OnlyThePipelineWrites"
    }])
    error_message = "others may write to the destination bucket: ${module.destination_bucket[0].policy}"
  }
}
