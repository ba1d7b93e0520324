# What variables.tf refers to. The variables with several settings are maps, and their defaults are here: Terraform silently
# drops attributes that an object type does not have, so a misspelt setting would not fail the plan.

locals {
  kms_key_arn_pattern = "^arn:[a-z-]+:kms:[a-z0-9-]+:\\d{12}:key/[a-z0-9-]+$"
  bucket_name_pattern = "^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$" # of a bucket that exists; a new one gets no dots

  retry_defaults = {
    # After a task failed or timed out.
    interval_seconds = 5
    max_attempts     = 2
    backoff_rate     = 2

    # After any other error, with the same number of attempts and the same rate.
    any_error_interval_seconds = 2

    # After an error of the Lambda service, mostly throttling, with jitter. These go on for half an hour on average: enough
    # for a flood of some thousand images, even in a new account, which runs ten functions at a time.
    transient_interval_seconds  = 1
    transient_max_attempts      = 60
    transient_backoff_rate      = 2
    transient_max_delay_seconds = 60
  }

  upload_form_defaults = {
    max_bytes       = 104857600 # size limit of one image, unless that of its conversion is lower
    expires_seconds = 300       # lifetime of the form
  }

  upload_throttle_defaults = {
    requests_per_second = 20 # sustained rate
    burst               = 40 # requests at once
  }

  alarm_thresholds_defaults = {
    upload_errors     = 1   # errors of the upload function within a minute
    queue_age_seconds = 900 # how long the oldest notification may wait
  }

  # How a backfill's state machine works through its list.
  backfill_defaults = {
    max_concurrency              = 100   # batches of ten objects at the same time, some thousand objects a second
    tolerated_failure_percentage = 0     # of the objects in batches that failed; beyond it the run ends, and can be redriven
    timeout_seconds              = 86400 # of a run
  }

  # null means the default, as in other variables.
  retry            = merge(local.retry_defaults, { for name, value in var.retry : name => value if value != null })
  upload_form      = merge(local.upload_form_defaults, { for name, value in var.upload_form : name => value if value != null })
  upload_throttle  = merge(local.upload_throttle_defaults, { for name, value in var.upload_throttle : name => value if value != null })
  alarm_thresholds = merge(local.alarm_thresholds_defaults, { for name, value in var.alarm_thresholds : name => value if value != null })

  backfill = merge(
    local.backfill_defaults,
    { for name, value in var.backfill : name => tonumber(value) if name != "enabled" && value != null },
    { enabled = try(coalesce(tobool(var.backfill["enabled"])), false) },
  )

  rendition_numbers = ["max_width", "max_height", "quality"]

  # As the function reads them: numbers as numbers, and with keys. A jpeg that had only its suffix in the key would take
  # the key of the original's copy.
  renditions = [
    for index, rendition in var.renditions : merge(
      { key = index == 0 && try(rendition.format, "") != "jpeg" ? "{dir}{stem}.{ext}" : "{dir}{stem}-{name}.{ext}" },
      { for field, value in rendition : field => value if value != null && !contains(local.rendition_numbers, field) },
      { for field, value in rendition : field => try(tonumber(value), 0) if value != null && contains(local.rendition_numbers, field) },
    )
  ]

  source_filter = {
    prefixes = coalesce(lookup(var.source_filter, "prefixes", null), [])
    suffixes = coalesce(lookup(var.source_filter, "suffixes", null), [])
  }
}
