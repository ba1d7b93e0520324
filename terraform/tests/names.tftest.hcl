# What things are called in another partition; the names in this one are those of a stack without settings.

mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  package_dir = "./tests/package"
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
