output "source_bucket" {
  description = "Bucket to upload images to."
  value       = local.source_bucket

  precondition {
    condition = length(distinct(values(local.bucket_names))) == length(local.bucket_names)
    error_message = join(" ", [
      "source, destination and access_logs must be three different buckets, but are",
      "${join(", ", values(local.bucket_names))}: if the source bucket were its own destination, each PNG would start an",
      "execution. Change bucket_names.",
    ])
  }
}

output "destination_bucket" {
  description = "Bucket that receives the originals and the PNGs."
  value       = local.destination_bucket
}

output "access_logs_bucket" {
  description = "Bucket that receives the access logs of the other two."
  value       = local.access_logs_bucket
}

output "bucket_arns" {
  description = "ARNs of the buckets, by source, destination and access_logs."
  value       = local.bucket_arns
}

# Terraform cannot read whether these are fulfilled.
output "existing_buckets_need" {
  description = "What the existing buckets and their keys need, which their owners provide; empty for the stack's own buckets."
  value = concat(
    !local.existing.source ? [] : [
      "EventBridge must be on for ${local.bucket_names.source}: S3 console, Properties, Amazon EventBridge; or EventBridgeConfiguration in its notification configuration, next to those that it has.",
      "Its policy must not deny the roles of ${local.backfill.enabled ? "backfill, trigger, " : ""}get_file_type, copy_file, resize_image and delete_file (output role_arns).",
      "Without versioning, ${local.source_after == "keep" && local.other_types == "keep" ? "an image that is overwritten before its turn is not converted" : "what is deleted or overwritten cannot be restored"}.",
    ],
    local.existing.source && local.has_key.source ? ["The policy of ${local.bucket_keys.source} must leave kms:Decrypt to IAM, or allow it for those roles."] : [],
    !local.existing.destination ? [] : [
      "The policy of ${local.bucket_names.destination} should deny writes to ${local.destination_prefix}* by everyone but the roles of ${local.backfill.enabled ? "backfill, " : ""}copy_file and resize_image (output role_arns)${local.backfill.enabled ? ", except to ${local.backfill_manifests_place}*" : ""}.",
    ],
    local.existing.destination && local.has_key.destination ? ["The policy of ${local.bucket_keys.destination} must leave kms:Decrypt and kms:GenerateDataKey to IAM, or allow them for those roles${local.backfill.enabled ? ", and for those of backfill and get_file_type" : ""}."] : [],
  )
}

output "table_name" {
  description = "Table with one record per image."
  value       = module.table.name
}

output "table_arn" {
  description = "ARN of the table."
  value       = module.table.arn
}

output "state_machine_arn" {
  description = "ARN of the state machine."
  value       = module.state_machine.arn
}

output "backfill_state_machine_arn" {
  description = "ARN of the backfill's state machine; null without one."
  value       = one(module.backfill[*].arn)
}

output "queue_url" {
  description = "URL of the queue that receives S3's notifications."
  value       = module.ingest.queue_url
}

output "queue_arn" {
  description = "ARN of the queue that receives S3's notifications."
  value       = local.queue_arn
}

output "dead_letter_queue_url" {
  description = "URL of the queue with the notifications that could not be handled."
  value       = module.ingest.dead_letter_queue_url
}

output "dead_letter_queue_arn" {
  description = "ARN of the queue with the notifications that could not be handled."
  value       = "${local.queue_arn}-dead-letters"
}

output "upload_api_id" {
  description = "ID of the upload API; null without one."
  value       = one(module.upload_api[*].api_id)
}

output "upload_url" {
  description = "URL to which images are posted; null without an upload API."
  value       = one(module.upload_api[*].url)
}

output "upload_form_url" {
  description = "URL that issues presigned POST forms for larger images; null without an upload API."
  value       = one(module.upload_api[*].form_url)

  precondition {
    condition     = !var.create_upload_api || local.max_form_bytes <= local.max_image_bytes
    error_message = "upload_form.max_bytes is ${local.max_form_bytes}, but resize_image only has memory for JPEGs of up to ${local.max_image_bytes} bytes: the form would accept larger ones, and their conversion would fail with ImageTooLarge. Lower it, or increase functions.resize_image.memory_mb."
  }
}

output "function_names" {
  description = "Names of the functions."
  value       = local.function_names
}

output "function_arns" {
  description = "ARNs to invoke the functions by."
  value       = { for function in keys(local.function_names) : function => module.function[function].arn }
}

output "role_names" {
  description = "Names of the roles of the functions, the destroy guard and the state machines."
  value       = local.role_names
}

output "role_arns" {
  description = "ARNs of the roles of the functions, the destroy guard and the state machines."
  value = merge(
    { for function in keys(local.function_names) : function => module.function[function].role_arn },
    { for function in module.report_failure : "report_failure" => function.role_arn },
    { for machine in module.backfill : "backfill" => machine.role_arn },
    { destroy_guard = module.destroy_guard.role_arn, state_machine = module.state_machine.role_arn },
  )
}

output "log_groups" {
  description = "Names of the log groups."
  value       = local.log_groups
}

output "kms_key_arn" {
  description = "ARN of the key that encrypts images, records, messages and logs."
  value       = module.key.arn

  precondition {
    condition     = try(split(":", var.kms_key_arn)[3] == local.region && split(":", var.kms_key_arn)[4] == local.account, true)
    error_message = "kms_key_arn is ${coalesce(var.kms_key_arn, "null")}, but the key must be in ${local.region} of the account ${local.account}: neither the table nor the log groups can use another one."
  }
}

# Known before the stack exists, so that the configuration that creates the key can use them in its policy.
output "kms_key_statements" {
  description = "Statements that the policy of kms_key_arn needs, in addition to one that leaves decisions to IAM."
  value       = module.key.statements
}

output "alarm_topic_arn" {
  description = "ARN of the topic that alarms are published to; null without alarms."
  value       = one(module.alarms[*].topic_arn)

  precondition {
    condition     = try(split(":", var.alarm_topic_arn)[3] == local.region, true)
    error_message = "alarm_topic_arn is ${coalesce(var.alarm_topic_arn, "null")}, but alarms only publish to topics in their own region, ${local.region}."
  }
}

output "alarm_topic_statements" {
  description = "Statements that the policy of alarm_topic_arn needs."
  value       = flatten(module.alarms[*].topic_statements)
}

output "dashboard_url" {
  description = "URL of the dashboard in the console; null without one."
  value       = local.dashboard_url
}

# For versions 1 and 2 of the AWS CLI, and curl 7.75 or newer. `upload_api` and `upload_form` read credentials from the
# environment; docs/operating.md shows how to export those of a profile.
output "commands" {
  description = "Ready-made commands with the names of this stack's resources."
  value = { for name, command in {
    upload       = "${local.aws} s3 cp photo.jpg s3://${local.source_bucket}/photo.jpg"
    upload_api   = one(local.curl_upload)
    upload_form  = one(local.curl_form)
    start        = trimspace(local.start)
    watch        = var.workflow_type == "STANDARD" ? local.watch_executions : local.state_machine_log_class == "STANDARD" ? trimspace(local.last_events.state_machine) : local.last_queried_events
    download     = "${local.aws} s3 cp s3://${local.destination_bucket}/${local.destination_prefix}photo.png photo.png"
    record       = "${local.aws} dynamodb get-item --table-name ${module.table.name} --key 'imageName={S=photo.jpg}'"
    logs         = trimspace(local.last_events.resize_image)
    dead_letters = "${local.aws} sqs receive-message --queue-url ${module.ingest.dead_letter_queue_url} --visibility-timeout 0"
    destroy      = "terraform -chdir=terraform destroy"
  } : name => command if command != null }
}

locals {
  machine = module.state_machine.arn

  # AWS's queues have https URLs. A local AWS is named in each command: version 1 of the AWS CLI does not read
  # AWS_ENDPOINT_URL for SQS, and a shell without that variable must not send a local stack's command to AWS.
  endpoint = try(regex("^http://[^/]+", module.ingest.dead_letter_queue_url), null)
  aws      = local.endpoint == null ? "aws" : "aws --endpoint-url ${local.endpoint}"

  # Terraform would print a single line with escaped quotation marks, which cannot be pasted; hence several lines. The
  # execution of the upload deletes the source object, so this one has to name the version.
  start = <<-EOT
    ${local.aws} stepfunctions start-execution --state-machine-arn ${local.machine} --input "$(
      ${local.aws} s3api list-object-versions --bucket ${local.source_bucket} --prefix photo.jpg --output json \
        --query 'Versions[0].{s3: {bucket: {name: `"${local.source_bucket}"`}, object: {key: Key, versionId: VersionId}}}'
    )"
  EOT

  # One word for the shell, or none: without a session token, no such header may be signed.
  authorized = var.upload_jwt == null ? join(" ", [
    "--aws-sigv4 \"aws:amz:${local.region}:execute-api\" --user \"$AWS_ACCESS_KEY_ID:$AWS_SECRET_ACCESS_KEY\"",
    "$${AWS_SESSION_TOKEN:+\"-Hx-amz-security-token: $AWS_SESSION_TOKEN\"}",
  ]) : "--header \"authorization: Bearer $TOKEN\""

  curl_upload = [for api in module.upload_api : trimspace(<<-EOT
    curl --no-progress-meter --fail-with-body ${local.authorized} \
      --header "content-type: image/jpeg" --data-binary @photo.jpg "${api.url}?name=photo.jpg"
  EOT
  )]

  curl_form = [for api in module.upload_api : trimspace(<<-EOT
    curl --no-progress-meter --fail-with-body --request POST ${local.authorized} \
      "${api.form_url}?name=photo.jpg" |
      python3 -c 'import json, sys; form = json.load(sys.stdin); print("url =", json.dumps(form["url"])); [print("form-string =", json.dumps("=".join(field))) for field in form["fields"].items()]' |
      curl --no-progress-meter --fail-with-body --config - --form file=@photo.jpg
  EOT
  )]

  watch_executions = "${local.aws} stepfunctions list-executions --state-machine-arn ${local.machine} --max-items 10"

  # Only Logs Insights reads the class INFREQUENT_ACCESS. A query takes a few seconds.
  last_queried_events = trimspace(<<-EOT
    QUERY=$(${local.aws} logs start-query --log-group-name ${local.log_groups.state_machine} \
      --start-time $(( $(date +%s) - 600 )) --end-time $(date +%s) --query queryId --output text \
      --query-string 'fields @message | sort @timestamp asc | limit 1000') && sleep 5 &&
      ${local.aws} logs get-query-results --query-id "$QUERY" --query 'results[].[[?field==`@message`].value]' --output text
  EOT
  )

  # Of the last ten minutes; version 1 of the AWS CLI has no `logs tail`. EXPRESS keeps no list of executions, only these.
  last_events = {
    for name in ["resize_image", "state_machine"] : name => <<-EOT
      ${local.aws} logs filter-log-events --log-group-name ${local.log_groups[name]} \
        --start-time $(( ($(date +%s) - 600) * 1000 )) --query 'events[].[message]' --output text
    EOT
  }
}
