module "alarms" {
  source = "./modules/alarms"
  count  = var.create_alarms ? 1 : 0

  name                       = var.name
  kms_key_arn                = module.key.arn
  create_topic               = coalesce(var.create_alarm_topic, var.alarm_topic_arn == null)
  topic_arn                  = var.alarm_topic_arn
  email                      = var.alarm_email
  state_machine_arn          = module.state_machine.arn
  backfill_state_machine_arn = local.backfill.enabled ? local.backfill_arn : null
  upload_function_name       = lookup(local.function_names, "upload", null)
  failure_reporter_name      = one(module.report_failure[*].name)
  upload_errors              = local.alarm_thresholds.upload_errors
  queue_name                 = module.ingest.queue_name
  queue_age_seconds          = local.alarm_thresholds.queue_age_seconds
  dead_letter_queue_name     = module.ingest.dead_letter_queue_name
  dashboard_url              = local.dashboard_url
  monthly_budget_usd         = var.monthly_budget_usd
  cost_tag                   = { key = "Project", value = var.name }
  tags                       = local.tags
}

# States from before alarms could be left out.
moved {
  from = module.alarms
  to   = module.alarms[0]
}
