# All names and ARNs, derived from var.name. ARNs are composed here instead of read from the resources, so that policies
# are known in the plan, and resources that refer to each other do not have to wait for each other.

locals {
  account   = data.aws_caller_identity.current.account_id
  partition = data.aws_partition.current.partition
  region    = data.aws_region.current.id # provider 6 deprecates `name`, provider 5 has no `region`

  # Buckets that exist without this stack, and stay as they are.
  existing = {
    source      = var.existing_source_bucket != null
    destination = var.existing_destination_bucket != null
  }

  # Bucket names are globally unique; names of roles, dashboards and budgets are unique in the account, all others in the
  # region.
  bucket_names = {
    source      = coalesce(var.existing_source_bucket, lookup(var.bucket_names, "source", null), "${var.name}-source-${local.account}-${local.region}")
    destination = coalesce(lookup(coalesce(var.existing_destination_bucket, {}), "name", null), lookup(var.bucket_names, "destination", null), "${var.name}-destination-${local.account}-${local.region}")
    access_logs = coalesce(var.access_logs_bucket, lookup(var.bucket_names, "access_logs", null), "${var.name}-access-logs-${local.account}-${local.region}")
  }
  bucket_arns = { for bucket, name in local.bucket_names : bucket => "arn:${local.partition}:s3:::${name}" }

  # Of the buckets with images, those that this stack creates.
  own_buckets     = [for bucket in ["source", "destination"] : bucket if !local.existing[bucket]]
  own_bucket_arns = [for bucket in local.own_buckets : local.bucket_arns[bucket]]

  # The key of each of them; null if S3's own keys encrypt an existing one.
  bucket_keys = {
    source      = local.existing.source ? var.existing_source_bucket_kms_key_arn : module.key.arn
    destination = local.existing.destination ? lookup(coalesce(var.existing_destination_bucket, {}), "kms_key_arn", null) : module.key.arn
  }
  # The same as a condition that is known in the plan.
  has_key = {
    source      = !local.existing.source || var.existing_source_bucket_kms_key_arn != null
    destination = !local.existing.destination || lookup(coalesce(var.existing_destination_bucket, {}), "kms_key_arn", null) != null
  }

  function_names = {
    for function in keys(local.function_defaults) : function => "${var.name}-${replace(function, "_", "-")}"
    if function != "upload" || var.create_upload_api
  }

  # Those too that handle no image, which var.functions does not set.
  lambda_names = merge(
    local.function_names,
    { destroy_guard = "${var.name}-destroy-guard" },
    { for function in ["report_failure"] : function => "${var.name}-report-failure" if var.events != null },
  )

  role_names = merge(
    { for function, name in local.lambda_names : function => "${name}-${local.region}" },
    { state_machine = "${var.name}-state-machine-${local.region}" },
    { for machine in ["backfill"] : machine => "${var.name}-backfill-${local.region}" if local.backfill.enabled },
  )

  dashboard_name = "${var.name}-${local.region}"

  state_machine_arn = "arn:${local.partition}:states:${local.region}:${local.account}:stateMachine:${var.name}"
  rule_arn          = "arn:${local.partition}:events:${local.region}:${local.account}:rule/${var.name}"
  queue_arn         = "arn:${local.partition}:sqs:${local.region}:${local.account}:${var.name}"
  table_arn         = "arn:${local.partition}:dynamodb:${local.region}:${local.account}:table/${var.name}"

  log_groups = merge(
    { for function, name in local.lambda_names : function => "/aws/lambda/${name}" },
    # Log groups outside /aws/vendedlogs are added one by one to a resource policy, which has a size limit.
    { state_machine = "/aws/vendedlogs/states/${var.name}" },
    { for machine in ["backfill"] : machine => "/aws/vendedlogs/states/${var.name}-backfill" if local.backfill.enabled },
    { for log_group in ["upload_api"] : log_group => "/aws/vendedlogs/apigateway/${var.name}" if var.create_upload_api },
  )
}
