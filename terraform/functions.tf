locals {
  # Nobody's photographs are deleted because of a default: an existing bucket's files that are not JPEGs stay.
  source_after = coalesce(var.source_after, "delete")
  other_types  = coalesce(var.other_types, local.existing.source ? "keep" : "delete")

  # What the function does where nothing else is asked of it.
  makes_only_png = jsonencode(local.renditions) == jsonencode([{ key = "{dir}{stem}.{ext}", name = "png", format = "png" }])

  # The log of an EXPRESS execution has the begin and the end of each invocation, and the functions' own lines how long
  # they took: Lambda's lines of the same would be most of what the functions log.
  log_format       = coalesce(var.log_format, var.workflow_type == "EXPRESS" ? "JSON" : "Text")
  quiet            = var.workflow_type == "EXPRESS" && local.log_format == "JSON"
  system_log_level = coalesce(var.system_log_level, local.quiet ? "WARN" : "INFO")

  # Of all functions, also those outside var.functions.
  common_environment = {
    LOG_LEVEL = var.log_level
    TRACING   = var.tracing ? "on" : "off"
  }

  function_descriptions = {
    upload            = "Stores an image from POST /upload in the source bucket, or issues a presigned form for larger ones"
    trigger           = "Starts an execution for each notification of a new image"
    get_file_type     = "Detects the type of a file from its first bytes"
    copy_file         = "Copies the original to the destination bucket"
    resize_image      = "Converts a JPEG to a PNG in the destination bucket"
    write_to_dynamodb = "Writes the image's record to the table"
    delete_file       = "Deletes the handled object from the source bucket, or keeps it"
  }

  rendition_environment = local.makes_only_png ? {} : { RENDITIONS = jsonencode(local.renditions) }

  destination_environment = merge(
    { DESTINATION_BUCKET = local.bucket_names.destination },
    local.destination_prefix == "" ? {} : { DESTINATION_PREFIX = local.destination_prefix },
  )

  function_environments = {
    # It refuses names whose renditions would have keys that are too long.
    upload = merge(
      {
        SOURCE_BUCKET    = local.bucket_names.source
        MAX_UPLOAD_BYTES = tostring(var.max_upload_bytes)
        MAX_FORM_BYTES   = tostring(local.max_form_bytes)
        FORM_SECONDS     = tostring(local.upload_form.expires_seconds)
      },
      local.rendition_environment,
    )
    # The bucket and its filter are not for the function: the commands find them here.
    trigger = merge(
      { STATE_MACHINE_ARN = local.state_machine_arn, SOURCE_BUCKET = local.bucket_names.source },
      local.existing.source ? { SOURCE_FILTER = jsonencode(local.source_filter) } : {},
      local.backfill_trigger_environment,
    )
    get_file_type = {}
    copy_file     = local.destination_environment
    resize_image = merge(
      local.destination_environment,
      {
        MAX_IMAGE_BYTES  = tostring(local.max_image_bytes)
        MAX_IMAGE_PIXELS = tostring(local.max_image_pixels)
        PNG_COMPRESSION  = var.png_compression
      },
      local.rendition_environment,
    )
    write_to_dynamodb = merge({ TABLE_NAME = var.name }, local.event_environment)
    delete_file = {
      DESTINATION_BUCKET = local.bucket_names.destination
      SOURCE_AFTER       = local.source_after
      OTHER_TYPES        = local.other_types
    }
  }
}

module "layer" {
  source = "./modules/layer"

  name         = var.name
  description  = "Libraries of ${var.name}"
  package      = local.artifacts.layer
  runtime      = local.runtime
  architecture = local.architecture

  depends_on = [terraform_data.package]
}

module "function" {
  source   = "./modules/function"
  for_each = local.function_names

  name                     = each.value
  description              = local.function_descriptions[each.key]
  role_name                = local.role_names[each.key]
  role_path                = var.role_path
  permissions_boundary_arn = var.permissions_boundary_arn
  policy_statements        = concat(local.function_permissions[each.key], lookup(local.backfill_function_permissions, each.key, []))
  handler                  = "image_converter.handlers.${each.key}.handler"
  runtime                  = local.runtime
  architecture             = local.architecture
  package                  = local.artifacts.functions
  layers                   = [module.layer.arn]
  memory_mb                = local.function_settings[each.key].memory_mb
  timeout_seconds          = local.function_settings[each.key].timeout_seconds
  reserved_concurrency     = local.function_settings[each.key].reserved_concurrency
  snap_start               = local.function_settings[each.key].snap_start
  kms_key_arn              = module.key.arn
  log_group                = local.log_groups[each.key]
  log_retention_days       = var.log_retention_days
  log_format               = local.log_format
  system_log_level         = local.system_log_level
  tracing                  = var.tracing
  tags                     = local.tags

  environment = merge(local.function_environments[each.key], local.common_environment)
}
