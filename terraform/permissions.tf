# What each function may do, in addition to writing logs and traces: exact actions on exact resources. The key may only
# be used through the service that stores the data.

locals {
  source_objects      = "${local.bucket_arns.source}/*"
  destination_prefix  = try(coalesce(var.existing_destination_bucket["prefix"], ""), "")
  destination_objects = "${local.bucket_arns.destination}/${local.destination_prefix}*"

  # The functions that write to the destination bucket, and the backfill, which writes its results there.
  writer_role_arns = [
    for writer in concat(["copy_file", "resize_image"], local.backfill.enabled ? ["backfill"] : []) :
    "arn:${local.partition}:iam::${local.account}:role${var.role_path}${local.role_names[writer]}"
  ]

  via = {
    for service in ["s3", "sqs", "dynamodb"] : service => {
      StringEquals = { "kms:ViaService" = ["${service}.${local.region}.${data.aws_partition.current.dns_suffix}"] }
    }
  }

  # S3's own keys, which may encrypt an existing bucket, need no permission. A multipart upload also needs kms:Decrypt, which
  # the functions that copy have for the source bucket's key.
  decrypt_source = [for key in [local.bucket_keys.source] : {
    sid       = "Decrypt"
    actions   = ["kms:Decrypt"]
    resources = [key]
    condition = local.via.s3
  } if local.has_key.source]
  encrypt = {
    for bucket, key in local.bucket_keys : bucket => [for statement in [{
      sid       = "Encrypt"
      actions   = bucket == "source" || length(local.own_buckets) == 2 ? ["kms:GenerateDataKey"] : ["kms:Decrypt", "kms:GenerateDataKey"]
      resources = [key]
      condition = local.via.s3
    }] : statement if local.has_key[bucket]]
  }

  # Without s3:ListBucket, S3 answers 403 for an object that is gone; with it, 404.
  read_source = concat([
    { sid = "ReadSource", actions = ["s3:GetObject", "s3:GetObjectVersion"], resources = [local.source_objects] },
    { sid = "TellGoneFromForbidden", actions = ["s3:ListBucket"], resources = [local.bucket_arns.source] },
  ], local.decrypt_source)

  function_permissions = {
    upload = concat(
      [{ sid = "WriteSource", actions = ["s3:PutObject"], resources = [local.source_objects] }],
      local.encrypt.source,
    )

    trigger = [
      { sid = "StartExecutions", actions = ["states:StartExecution"], resources = [local.state_machine_arn] },
      {
        sid       = "ReadQueue"
        actions   = ["sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage"]
        resources = [local.queue_arn]
      },
      { sid = "Decrypt", actions = ["kms:Decrypt"], resources = [module.key.arn], condition = local.via.sqs },
    ]

    get_file_type = local.read_source

    copy_file = concat(local.read_source, [
      {
        sid       = "ReadSourceTags"
        actions   = ["s3:GetObjectTagging", "s3:GetObjectVersionTagging"]
        resources = [local.source_objects]
      },
      {
        sid       = "WriteDestination"
        actions   = ["s3:AbortMultipartUpload", "s3:GetObject", "s3:PutObject", "s3:PutObjectTagging"]
        resources = [local.destination_objects]
      },
      { sid = "TellFreeFromForbidden", actions = ["s3:ListBucket"], resources = [local.bucket_arns.destination] },
    ], local.encrypt.destination)

    resize_image = concat(local.read_source, [
      { sid = "WriteDestination", actions = ["s3:GetObject", "s3:PutObject"], resources = [local.destination_objects] },
      { sid = "TellFreeFromForbidden", actions = ["s3:ListBucket"], resources = [local.bucket_arns.destination] },
    ], local.encrypt.destination)

    write_to_dynamodb = concat([
      { sid = "WriteRecords", actions = ["dynamodb:PutItem"], resources = [local.table_arn] },
      { sid = "Decrypt", actions = ["kms:Decrypt"], resources = [module.key.arn], condition = local.via.dynamodb },
    ], local.send_events)

    # It checks an object's metadata and deletes it on condition of its ETag. It never reads content, so it needs no key.
    # If everything is kept, it does not check anything either.
    delete_file = [
      for statement in [
        { sid = "DeleteSource", actions = ["s3:DeleteObject", "s3:GetObject"], resources = [local.source_objects] },
        { sid = "TellGoneFromForbidden", actions = ["s3:ListBucket"], resources = [local.bucket_arns.source] },
      ] : statement if contains([local.source_after, local.other_types], "delete")
    ]
  }
}
