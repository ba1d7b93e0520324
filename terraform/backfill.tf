# With var.backfill, a state machine that sends a message to the queue for each object that is there already: the objects of
# the source bucket by prefix, or those that a manifest lists. From there on, they are like uploads. Each child sends a batch:
# AWS charges a state transition for every child.

locals {
  # Nothing of the destination bucket but the manifests is open to others than the pipeline, so nothing is made of an image
  # there: MANIFESTS in image_converter/keys.py.
  backfill_manifests_place = "${local.destination_prefix}backfill-manifests/"
  backfill_manifests       = "${local.bucket_arns.destination}/${local.backfill_manifests_place}*"
  backfill_results_place   = "${local.destination_prefix}backfill/results"

  # The states of the children; a state's name must be unique in the whole machine, and there are four Maps.
  backfill_items = {
    for item in ["Object", "Row", "Line", "Entry"] : item => templatefile("${path.module}/asl/backfill_batch.asl.json", {
      item                 = item
      source_bucket        = local.bucket_names.source
      destination_bucket   = local.bucket_names.destination
      source_filter        = jsonencode(merge(local.source_filter, { encoded = !local.existing.source }))
      send_batch_arn       = "arn:${local.partition}:states:::aws-sdk:sqs:sendMessageBatch"
      send_message_arn     = "arn:${local.partition}:states:::sqs:sendMessage"
      send_message_timeout = 10
      queue_url            = module.ingest.queue_url
      task_retry           = local.task_retry
    })
  }

  # Without it, the Map's output would be that of all its children, and a run of many objects would fail: ResultPath
  # discards it too late. What succeeded is written as a word, what failed with its input, error and cause.
  backfill_results = jsonencode({
    Resource     = "arn:${local.partition}:states:::s3:putObject"
    Parameters   = { Bucket = local.bucket_names.destination, Prefix = local.backfill_results_place }
    WriterConfig = { Transformation = "COMPACT", OutputType = "JSONL" }
  })

  backfill_definition = templatefile("${path.module}/asl/backfill.asl.json", {
    timeout                      = local.backfill.timeout_seconds
    list_objects_arn             = "arn:${local.partition}:states:::s3:listObjectsV2"
    get_object_arn               = "arn:${local.partition}:states:::s3:getObject"
    send_object                  = local.backfill_items.Object
    send_row                     = local.backfill_items.Row
    send_line                    = local.backfill_items.Line
    send_entry                   = local.backfill_items.Entry
    max_concurrency              = local.backfill.max_concurrency
    tolerated_failure_percentage = local.backfill.tolerated_failure_percentage
    result_writer                = local.backfill_results
  })

  # A machine's own ARN is composed, or Terraform would have a cycle.
  backfill_arn      = "${local.state_machine_arn}-backfill"
  backfill_children = "arn:${local.partition}:states:${local.region}:${local.account}:execution:${var.name}-backfill/*"

  backfill_permissions = concat(
    [
      { sid = "ListSource", actions = ["s3:ListBucket"], resources = [local.bucket_arns.source] },
      {
        sid     = "ReadManifests"
        actions = ["s3:GetObject"]
        resources = concat([local.backfill_manifests], [
          for place in var.backfill_manifests : "arn:${local.partition}:s3:::${place.bucket}/${lookup(place, "prefix", null) == null ? "" : place.prefix}*"
        ])
      },
      {
        # https://docs.aws.amazon.com/step-functions/latest/dg/input-output-resultwriter.html
        sid       = "WriteResults"
        actions   = ["s3:AbortMultipartUpload", "s3:ListMultipartUploadParts", "s3:PutObject"]
        resources = ["${local.bucket_arns.destination}/${local.backfill_results_place}/*"]
      },
      { sid = "SendMessages", actions = ["sqs:SendMessage"], resources = [local.queue_arn] },
      {
        sid       = "EncryptMessages"
        actions   = ["kms:Decrypt", "kms:GenerateDataKey"]
        resources = [module.key.arn]
        condition = local.via.sqs
      },
      # https://docs.aws.amazon.com/step-functions/latest/dg/iam-policies-eg-dist-map.html
      { sid = "StartChildren", actions = ["states:StartExecution"], resources = [local.backfill_arn] },
      {
        sid       = "FollowChildren"
        actions   = ["states:DescribeExecution", "states:RedriveExecution", "states:StopExecution"]
        resources = [local.backfill_children]
      },
    ],
    [for key in [local.bucket_keys.destination] : {
      sid       = "EncryptResults"
      actions   = ["kms:Decrypt", "kms:GenerateDataKey"]
      resources = [key]
      condition = local.via.s3
    } if local.has_key.destination],
    [for keys in [compact([for place in var.backfill_manifests : lookup(place, "kms_key_arn", null)])] : {
      sid       = "DecryptManifests"
      actions   = ["kms:Decrypt"]
      resources = distinct(keys)
      condition = local.via.s3
    } if length(keys) > 0],
  )

  # What the functions need in addition: the trigger looks whether there is anything to do, and originals that are to be
  # made again are read from the destination bucket. delete_file gets nothing there.
  looks_before_it_starts = [
    { sid = "LookAtObjects", actions = ["s3:GetObject"], resources = [local.source_objects, local.destination_objects] },
    { sid = "TellGoneFromForbidden", actions = ["s3:ListBucket"], resources = [local.bucket_arns.source, local.bucket_arns.destination] },
    { sid = "LookAtRecords", actions = ["dynamodb:GetItem"], resources = [local.table_arn] },
    { sid = "DecryptRecords", actions = ["kms:Decrypt"], resources = [module.key.arn], condition = local.via.dynamodb },
  ]
  reads_originals = concat(
    [
      { sid = "ReadOriginals", actions = ["s3:GetObject", "s3:GetObjectVersion"], resources = [local.destination_objects] },
      { sid = "TellGoneOriginals", actions = ["s3:ListBucket"], resources = [local.bucket_arns.destination] },
    ],
    # Where the stack made both buckets, one key encrypts both.
    [for key in [local.bucket_keys.destination] : {
      sid       = "DecryptOriginals"
      actions   = ["kms:Decrypt"]
      resources = [key]
      condition = local.via.s3
    } if local.has_key.destination && length(local.own_buckets) < 2],
  )
  backfill_function_permissions = {
    for function, statements in {
      trigger       = local.looks_before_it_starts
      get_file_type = local.reads_originals
      copy_file     = [{ sid = "ReadOriginals", actions = ["s3:GetObjectVersion"], resources = [local.destination_objects] }]
      resize_image  = [{ sid = "ReadOriginals", actions = ["s3:GetObjectVersion"], resources = [local.destination_objects] }]
    } : function => statements if local.backfill.enabled
  }

  backfill_trigger_environment = {
    for name, value in merge(
      { DESTINATION_BUCKET = local.bucket_names.destination, PNG_COMPRESSION = var.png_compression, TABLE_NAME = var.name },
      local.makes_only_png ? {} : { RENDITIONS = jsonencode(local.renditions) },
    ) : name => value if local.backfill.enabled
  }
}

module "backfill" {
  source = "./modules/state_machine"
  count  = local.backfill.enabled ? 1 : 0

  name                     = "${var.name}-backfill"
  arn                      = local.backfill_arn
  has_map_runs             = true
  type                     = "STANDARD"
  definition               = local.backfill_definition
  policy_statements        = local.backfill_permissions
  role_name                = local.role_names.backfill
  role_path                = var.role_path
  permissions_boundary_arn = var.permissions_boundary_arn
  kms_key_arn              = module.key.arn
  log_group                = local.log_groups.backfill
  log_class                = "STANDARD"
  log_level                = "ERROR"
  log_execution_data       = var.state_machine_log_execution_data
  log_retention_days       = var.log_retention_days
  tracing                  = var.tracing
  tags                     = local.tags
}
