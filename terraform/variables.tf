variable "name" {
  description = "Name of the stack: every other name begins with it. Two stacks in one account and region need two names."
  type        = string
  default     = "image-converter"

  validation {
    condition     = can(regex("^[a-z][a-z0-9]*(-[a-z0-9]+)*$", var.name)) && length(var.name) <= 23
    error_message = "name is '${var.name}', but must be lower-case letters, digits and single hyphens between them, begin with a letter and have at most 23 characters: names of buckets, which carry account and region too, end at 63."
  }

  validation {
    condition     = !startswith(var.name, "sthree-") && !startswith(var.name, "amzn-s3-demo-")
    error_message = "name is '${var.name}', but S3 reserves names that begin with sthree- or amzn-s3-demo-."
  }
}

variable "tags" {
  description = "Tags of every resource, beside Project and ManagedBy."
  type        = map(string)
  default     = {}
  nullable    = false

  validation {
    condition     = length(setintersection(keys(var.tags), ["Project", "ManagedBy"])) == 0
    error_message = "tags has Project or ManagedBy, but those say whose the resources are: the budget counts by Project, and the deployer's policy knows its key by it."
  }
}

variable "bucket_names" {
  description = "Names for the buckets instead of those that derive from `name`, account and region."
  type = object({
    source      = optional(string)
    destination = optional(string)
    access_logs = optional(string)
  })
  default  = {}
  nullable = false

  validation {
    condition = alltrue([
      for name in compact(values(var.bucket_names)) : can(regex("^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$", name))
    ])
    error_message = "bucket_names has ${join(", ", compact(values(var.bucket_names)))}, but a bucket's name is 3 to 63 lower-case letters, digits and hyphens, with a letter or digit at both ends."
  }

  validation {
    condition = alltrue([
      for name in compact(values(var.bucket_names)) :
      !can(regex("^(xn--|sthree-|amzn-s3-demo-)|(-s3alias|--ol-s3|--x-s3|--table-s3)$", name))
    ])
    error_message = "bucket_names has ${join(", ", compact(values(var.bucket_names)))}, but S3 reserves names that begin with xn--, sthree- or amzn-s3-demo-, or end with -s3alias, --ol-s3, --x-s3 or --table-s3."
  }

  validation {
    condition     = length(distinct(compact(values(var.bucket_names)))) == length(compact(values(var.bucket_names)))
    error_message = "bucket_names has the same name twice, but the source must not be its own destination: each PNG would start an execution."
  }
}

variable "force_destroy" {
  description = "Whether `terraform destroy` deletes the images, too: without it, it refuses while a bucket holds some, and touches nothing. Takes effect by an apply."
  type        = bool
  default     = false
}

variable "key_deletion_window_days" {
  description = "Days between the destruction of the KMS key and its end; until then it, and what it encrypted, can be brought back."
  type        = number
  default     = 30

  validation {
    condition     = var.key_deletion_window_days >= 7 && var.key_deletion_window_days <= 30
    error_message = "key_deletion_window_days is ${var.key_deletion_window_days}, but KMS takes 7 to 30."
  }
}

variable "table_deletion_protection" {
  description = "Whether the table refuses to be deleted, by `terraform destroy` too."
  type        = bool
  default     = false
}

variable "noncurrent_version_expiration_days" {
  description = "Days for which a deleted or overwritten image can be brought back; the originals that the pipeline cleans up among them."
  type        = number
  default     = 30

  validation {
    condition     = var.noncurrent_version_expiration_days >= 1 && var.noncurrent_version_expiration_days % 1 == 0
    error_message = "noncurrent_version_expiration_days is ${var.noncurrent_version_expiration_days}, but must be a whole number of days, at least 1."
  }
}

# --- The package ---

variable "package_dir" {
  description = "Folder that `make package` filled; relative to terraform/, or absolute."
  type        = string
  default     = "../build/package"
}

variable "runtime" {
  description = "Lambda runtime that the package must have been built for; null takes what it was built for."
  type        = string
  default     = null

  validation {
    condition     = var.runtime == null || can(regex("^python3\\.1[1-9]$", var.runtime))
    error_message = "runtime is '${coalesce(var.runtime, "null")}', but must be a Python of Lambda from 3.11 on, for example python3.13."
  }
}

variable "architecture" {
  description = "Processor architecture that the package must have been built for: arm64 or x86_64; null takes what it was built for."
  type        = string
  default     = null

  validation {
    condition     = contains(["arm64", "x86_64"], coalesce(var.architecture, "arm64"))
    error_message = "architecture is '${coalesce(var.architecture, "null")}', but must be arm64 or x86_64."
  }
}

# --- Functions ---

variable "functions" {
  description = "Settings of single functions, by name (upload, trigger, get_file_type, copy_file, resize_image, write_to_dynamodb, delete_file). What is left out keeps its default. `reserved_concurrency` sets invocations aside and bounds them; null shares the account's. Where other systems share an account's 1,000, give resize_image and copy_file a hundred each, and the trigger 5: what is over waits. It is no default because AWS keeps 100 unreserved: an account whose limit is still 10 takes none, and the apply would fail. `snap_start` starts new environments from a snapshot, which AWS charges for by memory and time, upload's about $2 a month, and each deployment leaves the one before behind, for 14 days at most (docs/costs.md): worth it for upload alone, where somebody waits; from python3.12 on."
  type = map(object({
    memory_mb            = optional(number)
    timeout_seconds      = optional(number)
    reserved_concurrency = optional(number)
    snap_start           = optional(bool, false)
  }))
  default  = {}
  nullable = false

  validation {
    condition = length(setsubtract(keys(var.functions), [
      "upload", "trigger", "get_file_type", "copy_file", "resize_image", "write_to_dynamodb", "delete_file",
    ])) == 0
    error_message = "functions has settings for ${join(", ", keys(var.functions))}, but the functions are upload, trigger, get_file_type, copy_file, resize_image, write_to_dynamodb and delete_file."
  }

  validation {
    condition = alltrue([
      for memory in values(var.functions)[*].memory_mb : try(memory >= 128 && memory <= 10240, memory == null)
    ])
    error_message = "functions has a memory_mb that Lambda does not take: it must be 128 to 10,240."
  }

  validation {
    condition     = try(var.functions["resize_image"].memory_mb >= 512, true)
    error_message = "resize_image must have a memory_mb of at least 512: its libraries take half of that, and the rest is what an image has."
  }

  validation {
    condition = alltrue([
      for timeout in values(var.functions)[*].timeout_seconds : try(timeout >= 1 && timeout <= 900, timeout == null)
    ])
    error_message = "functions has a timeout_seconds that Lambda does not take: it must be 1 to 900."
  }

  validation {
    condition     = try(var.functions["upload"].timeout_seconds <= 29, true)
    error_message = "upload's timeout_seconds must be 29 at most: the API gives up after 30, and would not hear the answer."
  }

  validation {
    condition = alltrue([
      for reserved in values(var.functions)[*].reserved_concurrency : try(reserved >= 0, reserved == null)
    ])
    error_message = "functions has a reserved_concurrency below 0; leave it out for no reservation."
  }
}

variable "png_compression" {
  description = "fast, or smallest: PNGs a tenth smaller for many times the time."
  type        = string
  default     = "fast"

  validation {
    condition     = contains(["fast", "smallest"], var.png_compression)
    error_message = "png_compression is '${var.png_compression}', but must be fast or smallest."
  }
}

# --- The state machine ---

variable "workflow_type" {
  description = "STANDARD or EXPRESS. EXPRESS costs a fraction, and gives up: executions run at least once instead of exactly once, end after five minutes, cannot be told apart by name (a notification that comes twice runs twice), have no history but their logs, and cannot be redriven. Five minutes is also all that a throttled one can wait: bound a flood by `trigger_maximum_concurrency`. Changing it replaces the state machine, which ends the executions that run: apply with `paused` first, wait for `make watch UNTIL_DONE=1` (of EXPRESS, five minutes), apply the change with `paused`, then without."
  type        = string
  default     = "STANDARD"

  validation {
    condition     = contains(["STANDARD", "EXPRESS"], var.workflow_type)
    error_message = "workflow_type is '${var.workflow_type}', but must be STANDARD or EXPRESS."
  }
}

variable "execution_timeout_seconds" {
  description = "Seconds after which an execution is ended; null is an hour for STANDARD, five minutes for EXPRESS."
  type        = number
  default     = null

  validation {
    condition = try(
      var.execution_timeout_seconds >= 1 && var.execution_timeout_seconds <= 31536000,
      var.execution_timeout_seconds == null,
    )
    error_message = "execution_timeout_seconds is ${coalesce(var.execution_timeout_seconds, 0)}, but must be 1 to 31,536,000 (a year)."
  }

  validation {
    condition     = var.workflow_type != "EXPRESS" || try(var.execution_timeout_seconds <= 300, true)
    error_message = "execution_timeout_seconds is ${coalesce(var.execution_timeout_seconds, 0)}, but EXPRESS executions end after 300."
  }
}

variable "retry" {
  description = "How the state machine tries again. `interval_seconds`, `max_attempts` and `backoff_rate`: after a task failed or timed out; `any_error_interval_seconds`: after any other error; `transient_*`: after an error of the Lambda service itself, with jitter: throttling above all, so their defaults outlast a flood of some thousand images (they go on for half an hour on average) even in a new account, which runs ten functions at a time. Each attempt of a STANDARD execution costs a state transition."
  type = object({
    interval_seconds            = optional(number, 5)
    max_attempts                = optional(number, 2)
    backoff_rate                = optional(number, 2)
    any_error_interval_seconds  = optional(number, 2)
    transient_interval_seconds  = optional(number, 1)
    transient_max_attempts      = optional(number, 60)
    transient_backoff_rate      = optional(number, 2)
    transient_max_delay_seconds = optional(number, 60)
  })
  default  = {}
  nullable = false

  validation {
    condition = alltrue([
      for seconds in [
        var.retry.interval_seconds, var.retry.any_error_interval_seconds, var.retry.transient_interval_seconds,
      ] : seconds >= 1 && seconds <= 99999999 && floor(seconds) == seconds
    ])
    error_message = "retry has an interval that Step Functions does not take: it must be a whole number of seconds, at least 1."
  }

  validation {
    condition = alltrue([
      for attempts in [var.retry.max_attempts, var.retry.transient_max_attempts] :
      attempts >= 0 && attempts <= 99999999 && floor(attempts) == attempts
    ])
    error_message = "retry has a number of attempts that Step Functions does not take: it must be a whole number, at least 0."
  }

  validation {
    condition     = alltrue([for rate in [var.retry.backoff_rate, var.retry.transient_backoff_rate] : rate >= 1])
    error_message = "retry has a backoff rate below 1: each wait would be shorter than the one before."
  }

  validation {
    condition = (
      var.retry.transient_max_delay_seconds > var.retry.transient_interval_seconds
      && var.retry.transient_max_delay_seconds < 31622400
    )
    error_message = "retry.transient_max_delay_seconds is ${var.retry.transient_max_delay_seconds}, but must be more than transient_interval_seconds and less than 31,622,400."
  }
}

# --- From the bucket to the state machine ---

variable "paused" {
  description = "Whether uploads wait in the queue, for 14 days at most, instead of starting executions. What waits is handled once it is false again."
  type        = bool
  default     = false
  nullable    = false
}

variable "trigger_maximum_concurrency" {
  description = "Batches of notifications that are handled at the same time at most; in a flood, more wait in the queue. It bounds how fast executions start: 50 a second at most for each, for a start takes 20 ms at least. So it bounds what the account runs, too: starts a second, times the seconds of functions that an image takes. What a flood still has running beyond the account's limit is throttled and waits in the state machine, see `retry`; to keep the rest of the account out of it, set `functions.*.reserved_concurrency`."
  type        = number
  default     = 5

  validation {
    condition     = var.trigger_maximum_concurrency >= 2 && var.trigger_maximum_concurrency <= 1000
    error_message = "trigger_maximum_concurrency is ${var.trigger_maximum_concurrency}, but Lambda takes 2 to 1,000."
  }

  # https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html
  validation {
    condition     = try(var.functions["trigger"].reserved_concurrency >= var.trigger_maximum_concurrency, true)
    error_message = "trigger_maximum_concurrency is ${var.trigger_maximum_concurrency}, but the trigger's reserved_concurrency is less: Lambda would throttle notifications, and what is throttled ${var.max_receive_count} times is a dead letter. Reserve as many, or lower trigger_maximum_concurrency."
  }
}

variable "max_receive_count" {
  description = "Deliveries of a notification after which it moves to the dead-letter queue. At least 5, as Lambda advises: throttling counts too."
  type        = number
  default     = 5

  validation {
    condition     = var.max_receive_count >= 1 && var.max_receive_count <= 1000
    error_message = "max_receive_count is ${var.max_receive_count}, but SQS takes 1 to 1,000."
  }
}

# --- The upload API ---

variable "max_upload_bytes" {
  description = "Largest image that POST /upload takes. Lambda takes 6 MB, and the image travels as base64; larger ones are put into the source bucket directly."
  type        = number
  default     = 4500000

  validation {
    condition     = var.max_upload_bytes >= 1 && var.max_upload_bytes <= 4700000
    error_message = "max_upload_bytes is ${var.max_upload_bytes}, but must be 1 to 4,700,000: in base64, and with the headers, more does not fit into the 6 MB that Lambda takes."
  }
}

variable "upload_form" {
  description = "The form that POST /upload-url gives for larger images, by which they go to S3 directly: `max_bytes` of one image, and `expires_seconds` after which S3 takes none any more."
  type = object({
    max_bytes       = optional(number, 104857600)
    expires_seconds = optional(number, 300)
  })
  default  = {}
  nullable = false

  validation {
    condition = (
      var.upload_form.max_bytes >= 1 && var.upload_form.max_bytes <= 5368709120 && floor(var.upload_form.max_bytes) == var.upload_form.max_bytes
    )
    error_message = "upload_form.max_bytes is ${var.upload_form.max_bytes}, but S3 takes 1 to 5,368,709,120 bytes by a form."
  }

  validation {
    condition = (
      var.upload_form.expires_seconds >= 1 && var.upload_form.expires_seconds <= 3600 && floor(var.upload_form.expires_seconds) == var.upload_form.expires_seconds
    )
    error_message = "upload_form.expires_seconds is ${var.upload_form.expires_seconds}, but must be 1 to 3,600: who has the form can upload by it until then."
  }
}

variable "upload_jwt" {
  description = "Issuer, audiences and scopes of the tokens with which one may upload; null asks for requests signed with IAM credentials instead."
  type = object({
    issuer   = string
    audience = list(string)
    scopes   = optional(list(string))
  })
  default = null

  validation {
    condition     = var.upload_jwt == null ? true : startswith(var.upload_jwt.issuer, "https://")
    error_message = "upload_jwt.issuer is '${try(var.upload_jwt.issuer, "")}', but must be an https:// address: the keys of the tokens are fetched from it."
  }

  validation {
    condition     = var.upload_jwt == null ? true : length(var.upload_jwt.audience) > 0
    error_message = "upload_jwt.audience is empty, but must name at least one audience: else any token of the issuer's would do."
  }
}

variable "upload_throttle" {
  description = "Requests that POST /upload lets through: `requests_per_second` in the long run, `burst` at once."
  type = object({
    requests_per_second = optional(number, 20)
    burst               = optional(number, 40)
  })
  default  = {}
  nullable = false

  validation {
    condition     = var.upload_throttle.requests_per_second > 0 && var.upload_throttle.burst > 0
    error_message = "upload_throttle has a zero, which would let nothing through."
  }
}

# --- Logs, traces, alarms ---

variable "log_level" {
  description = "Least important lines that the functions log: DEBUG, INFO, WARNING or ERROR."
  type        = string
  default     = "INFO"

  validation {
    condition     = contains(["DEBUG", "INFO", "WARNING", "ERROR"], var.log_level)
    error_message = "log_level is '${var.log_level}', but must be DEBUG, INFO, WARNING or ERROR."
  }
}

variable "log_format" {
  description = "Format of the lines that Lambda itself logs, start and report of each invocation: Text or JSON. The functions' own lines are JSON either way."
  type        = string
  default     = "Text"

  validation {
    condition     = contains(["Text", "JSON"], var.log_format)
    error_message = "log_format is '${var.log_format}', but must be Text or JSON."
  }
}

variable "log_retention_days" {
  description = "Days for which logs are kept, the buckets' access logs too."
  type        = number
  default     = 365

  validation {
    condition = contains([
      1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
    ], var.log_retention_days)
    error_message = "log_retention_days is ${var.log_retention_days}, but CloudWatch takes 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288 or 3653."
  }
}

variable "state_machine_log_level" {
  description = "Events of executions that are logged: ALL, ERROR, FATAL or OFF; null is ERROR for STANDARD, whose history AWS keeps, and ALL for EXPRESS, which has no other."
  type        = string
  default     = null

  validation {
    condition     = contains(["ALL", "ERROR", "FATAL", "OFF"], coalesce(var.state_machine_log_level, "ERROR"))
    error_message = "state_machine_log_level is '${coalesce(var.state_machine_log_level, "null")}', but must be ALL, ERROR, FATAL or OFF."
  }
}

variable "state_machine_log_execution_data" {
  description = "Whether those events carry the states' input and output: names of buckets and objects, no image."
  type        = bool
  default     = true
}

variable "tracing" {
  description = "Whether X-Ray traces functions and executions. AWS mends its SDK, which the functions load for that, until 25 February 2027; false loads none of it."
  type        = bool
  default     = true
}

variable "alarm_email" {
  description = "Address that hears of alarms, after a click on AWS's confirmation; null for none."
  type        = string
  default     = null

  validation {
    condition     = var.alarm_email == null || can(regex("^[^@\\s]+@[^@\\s]+\\.[^@\\s]+$", var.alarm_email))
    error_message = "alarm_email is '${coalesce(var.alarm_email, "null")}', which is no e-mail address."
  }
}

variable "alarm_thresholds" {
  description = "When alarms are raised: `upload_errors` of the upload function within a minute; `queue_age_seconds` that the oldest notification has waited. Any execution that fails raises one, and any dead letter."
  type = object({
    upload_errors     = optional(number, 1)
    queue_age_seconds = optional(number, 900)
  })
  default  = {}
  nullable = false

  validation {
    condition     = var.alarm_thresholds.upload_errors >= 1 && var.alarm_thresholds.queue_age_seconds >= 1
    error_message = "alarm_thresholds has a value below 1: its alarm would never end."
  }
}

variable "monthly_budget_usd" {
  description = "US dollars a month that this stack may cost before the alarm topic hears of it, at 80% spent and at 100% forecast; null for no budget. It counts what carries the tag Project: activate that as a cost allocation tag in the payer account's billing console first, else it counts nothing and never warns. AWS updates the figure a few times a day, so it is a warning, not a stop. Of two stacks with one name, in two regions, each budget counts both."
  type        = number
  default     = null

  validation {
    condition     = try(var.monthly_budget_usd > 0, var.monthly_budget_usd == null)
    error_message = "monthly_budget_usd is ${coalesce(var.monthly_budget_usd, 0)}, but must be more than 0; leave it out for no budget."
  }
}
