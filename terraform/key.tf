module "key" {
  source = "./modules/key"

  name    = var.name
  create  = coalesce(var.create_kms_key, var.kms_key_arn == null)
  key_arn = var.kms_key_arn
  tags    = local.tags
  log_group_arns = [
    for log_group in values(local.log_groups) :
    "arn:${local.partition}:logs:${local.region}:${local.account}:log-group:${log_group}"
  ]
  notifier             = local.existing.source ? { service = "events.amazonaws.com", arn = local.rule_arn } : { service = "s3.amazonaws.com", arn = local.bucket_arns.source }
  trusted_account_ids  = var.trusted_account_ids
  trusted_bucket_arns  = local.own_bucket_arns
  budget_notices       = var.monthly_budget_usd != null
  deletion_window_days = var.key_deletion_window_days
}
