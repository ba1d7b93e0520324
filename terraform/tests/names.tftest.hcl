# What things are called, within the limits of AWS, in any partition.

mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  package_dir = "./tests/package"
}

run "names_derive_from_name_account_and_region" {
  command = plan

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
}

run "names_of_ones_own" {
  command = plan

  variables {
    name         = "pictures"
    bucket_names = { source = "my-uploads" }
  }

  assert {
    condition     = local.bucket_names.source == "my-uploads" && local.bucket_names.destination == "pictures-destination-123456789012-eu-central-1"
    error_message = "the buckets are named ${jsonencode(local.bucket_names)}"
  }

  assert {
    condition     = output.table_name == "pictures"
    error_message = "the table is named ${output.table_name}"
  }
}

run "the_longest_name_fits_in_the_longest_region" {
  command = plan

  variables {
    name = "a234567890-234567890-23"
  }

  override_data {
    target = data.aws_region.current
    values = { id = "ap-southeast-1" }
  }

  assert {
    condition     = alltrue([for name in values(local.bucket_names) : length(name) <= 63])
    error_message = "S3 takes 63 characters: ${jsonencode(local.bucket_names)}"
  }

  assert {
    condition     = alltrue([for name in concat(values(local.function_names), values(local.role_names)) : length(name) <= 64])
    error_message = "Lambda and IAM take 64 characters: ${jsonencode([local.function_names, local.role_names])}"
  }
}

run "china" {
  command = plan

  override_data {
    target = data.aws_partition.current
    values = { partition = "aws-cn", dns_suffix = "amazonaws.com.cn" }
  }

  override_data {
    target = data.aws_region.current
    values = { id = "cn-north-1" }
  }

  assert {
    condition     = alltrue([for arn in concat(values(local.bucket_arns), [local.state_machine_arn, local.queue_arn, local.table_arn]) : startswith(arn, "arn:aws-cn:")])
    error_message = "ARNs are ${jsonencode(local.bucket_arns)}, ${local.state_machine_arn}, ${local.queue_arn}, ${local.table_arn}"
  }

  assert {
    condition     = local.via.s3.StringEquals["kms:ViaService"][0] == "s3.cn-north-1.amazonaws.com.cn"
    error_message = "S3 is ${jsonencode(local.via.s3)} to KMS"
  }
}
