variable "name" {
  description = "Name of the stack, with which the names of all resources begin; unique in an account and region."
  type        = string
  default     = "image-converter"

  validation {
    condition     = can(regex("^[a-z][a-z0-9]*(-[a-z0-9]+)*$", var.name)) && length(var.name) <= 23
    error_message = "name is '${var.name}', but must consist of lower-case letters, digits and single hyphens between them, begin with a letter and have at most 23 characters: bucket names also contain account and region, and are limited to 63."
  }

  validation {
    condition     = !startswith(var.name, "sthree-") && !startswith(var.name, "amzn-s3-demo-")
    error_message = "name is '${var.name}', but S3 reserves names that begin with sthree- or amzn-s3-demo-."
  }
}

variable "tags" {
  description = "Additional tags for all resources."
  type        = map(string)
  default     = {}
  nullable    = false

  validation {
    condition     = length(setintersection(keys(var.tags), ["Project", "ManagedBy"])) == 0
    error_message = "tags contains Project or ManagedBy, which the configuration sets itself: the budget and the deployer's policy identify this stack by Project."
  }
}

variable "bucket_names" {
  description = "Overrides for the names of the buckets `source`, `destination` and `access_logs`, which default to name, account ID and region."
  type        = map(string)
  default     = {}
  nullable    = false

  validation {
    condition     = length(setsubtract(keys(var.bucket_names), ["source", "destination", "access_logs"])) == 0
    error_message = "bucket_names has ${join(", ", keys(var.bucket_names))}, but the buckets are source, destination and access_logs."
  }

  validation {
    condition = alltrue([
      for name in compact(values(var.bucket_names)) : can(regex("^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$", name))
    ])
    error_message = "bucket_names has ${join(", ", compact(values(var.bucket_names)))}, but a bucket name must consist of 3 to 63 lower-case letters, digits and hyphens, with a letter or digit at both ends."
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
    error_message = "bucket_names contains the same name twice, but the source bucket must not be its own destination: each PNG would start an execution."
  }
}

# --- Existing buckets ---

# Its new objects are reported by EventBridge; nothing in its configuration changes. The output `existing_buckets_need`
# says what its owner provides. `backfill` converts what is already there.
variable "existing_source_bucket" {
  description = "Name of an existing bucket, in this account and region, whose new images are converted; null creates one."
  type        = string
  default     = null

  validation {
    condition     = var.existing_source_bucket == null || can(regex(local.bucket_name_pattern, var.existing_source_bucket))
    error_message = "existing_source_bucket is '${coalesce(var.existing_source_bucket, "null")}', but must be the name of a bucket."
  }

  validation {
    condition     = var.existing_source_bucket == null || var.source_after != null
    error_message = "existing_source_bucket needs source_after: set it to keep, or to delete if images are to be deleted from that bucket after they were converted."
  }

  validation {
    condition     = var.existing_source_bucket == null || lookup(var.bucket_names, "source", null) == null
    error_message = "existing_source_bucket names an existing bucket, but bucket_names.source asks for a new one: leave one of them out."
  }
}

variable "existing_source_bucket_kms_key_arn" {
  description = "ARN of the KMS key that encrypts the existing source bucket; null for S3's own keys (SSE-S3)."
  type        = string
  default     = null

  validation {
    condition     = var.existing_source_bucket_kms_key_arn == null || var.existing_source_bucket != null
    error_message = "existing_source_bucket_kms_key_arn is the key of existing_source_bucket, which is not set; the stack's own bucket uses kms_key_arn."
  }

  validation {
    condition     = var.existing_source_bucket_kms_key_arn == null || can(regex(local.kms_key_arn_pattern, var.existing_source_bucket_kms_key_arn))
    error_message = "existing_source_bucket_kms_key_arn is '${coalesce(var.existing_source_bucket_kms_key_arn, "null")}', but must be the ARN of a key, not of an alias."
  }
}

# Its policy, encryption and versioning are up to its owner: SECURITY.md says what the stack's own bucket has.
variable "existing_destination_bucket" {
  description = "Existing bucket, in this account and region, that receives the originals and PNGs: `name`, `prefix` of all keys, and `kms_key_arn` if a KMS key encrypts it; null creates one."
  type        = map(string)
  default     = null

  validation {
    condition     = length(setsubtract(keys(coalesce(var.existing_destination_bucket, {})), ["name", "prefix", "kms_key_arn"])) == 0
    error_message = "existing_destination_bucket has ${join(", ", keys(coalesce(var.existing_destination_bucket, {})))}, but its settings are name, prefix and kms_key_arn."
  }

  validation {
    condition     = var.existing_destination_bucket == null || can(regex(local.bucket_name_pattern, var.existing_destination_bucket["name"]))
    error_message = "existing_destination_bucket.name is '${try(var.existing_destination_bucket["name"], "null")}', but must be the name of a bucket."
  }

  validation {
    condition = alltrue([
      for prefix in compact([lookup(coalesce(var.existing_destination_bucket, {}), "prefix", null)]) :
      can(regex("^([A-Za-z0-9!_.'()-]+/)+$", prefix)) && length(prefix) <= 200
    ])
    error_message = "existing_destination_bucket.prefix is '${try(var.existing_destination_bucket["prefix"], "null")}', but must end with a slash and have at most 200 letters, digits and !_.'()- between slashes."
  }

  validation {
    condition = alltrue([
      for arn in compact([lookup(coalesce(var.existing_destination_bucket, {}), "kms_key_arn", null)]) :
      can(regex(local.kms_key_arn_pattern, arn))
    ])
    error_message = "existing_destination_bucket.kms_key_arn is '${try(var.existing_destination_bucket["kms_key_arn"], "null")}', but must be the ARN of a key, not of an alias."
  }

  validation {
    condition     = var.existing_destination_bucket == null || lookup(var.bucket_names, "destination", null) == null
    error_message = "existing_destination_bucket names an existing bucket, but bucket_names.destination asks for a new one: leave one of them out."
  }
}

# --- What an organisation prescribes ---

variable "role_path" {
  description = "IAM path of all roles, for example /teams/pictures/; a change replaces the roles."
  type        = string
  default     = "/"
  nullable    = false

  # https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateRole.html
  validation {
    condition     = can(regex("^/([A-Za-z0-9_+=,.@-]+/)*$", var.role_path)) && length(var.role_path) <= 512
    error_message = "role_path is '${var.role_path}', but must begin and end with a slash, with at most 512 letters, digits and _+=,.@- between them."
  }
}

variable "permissions_boundary_arn" {
  description = "ARN of the policy that is the permissions boundary of all roles; null for none."
  type        = string
  default     = null

  validation {
    condition     = var.permissions_boundary_arn == null || can(regex("^arn:[a-z-]+:iam::(\\d{12}|aws):policy/.+$", var.permissions_boundary_arn))
    error_message = "permissions_boundary_arn is '${coalesce(var.permissions_boundary_arn, "null")}', but must be the ARN of an IAM policy."
  }
}

# Its policy must leave decisions to IAM (as the default policy of AWS does) and have the statements of the output
# `kms_key_statements`. It is not destroyed with the stack.
variable "kms_key_arn" {
  description = "ARN of an existing KMS key, in this account and region, that encrypts everything; null creates one."
  type        = string
  default     = null

  validation {
    condition     = var.kms_key_arn == null || can(regex(local.kms_key_arn_pattern, var.kms_key_arn))
    error_message = "kms_key_arn is '${coalesce(var.kms_key_arn, "null")}', but must be the ARN of a key; an alias does not work, because the bucket policies compare ARNs of keys."
  }
}

variable "create_kms_key" {
  description = "Whether to create a KMS key; null means unless kms_key_arn is set. Set it to false if that ARN is only known after apply."
  type        = bool
  default     = null

  validation {
    condition     = coalesce(var.create_kms_key, true) || var.kms_key_arn != null
    error_message = "create_kms_key is false, so kms_key_arn must name the key to use."
  }

  validation {
    condition     = !coalesce(var.create_kms_key, false) || var.kms_key_arn == null
    error_message = "create_kms_key is true, but kms_key_arn names a key to use instead."
  }
}

# Its policy must let logging.s3.amazonaws.com write to it. Pass a name that is known in the plan: a bucket's `bucket`, not
# its `id`.
variable "access_logs_bucket" {
  description = "Name of an existing bucket, in this account and region, that receives the access logs; null creates one."
  type        = string
  default     = null

  validation {
    condition     = var.access_logs_bucket == null || can(regex(local.bucket_name_pattern, var.access_logs_bucket))
    error_message = "access_logs_bucket is '${coalesce(var.access_logs_bucket, "null")}', but must be the name of a bucket."
  }

  validation {
    condition     = var.access_logs_bucket == null || try(var.bucket_names.access_logs, null) == null
    error_message = "access_logs_bucket names an existing bucket, but bucket_names.access_logs asks for a new one: leave one of them out."
  }
}

# The bucket policies, and the policy of the key that the stack creates, admit these accounts. Who there may upload and
# read is up to their own IAM policies.
variable "trusted_account_ids" {
  description = "Other accounts that may upload to the source bucket and read the destination bucket."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for id in var.trusted_account_ids : can(regex("^\\d{12}$", id))])
    error_message = "trusted_account_ids has ${join(", ", var.trusted_account_ids)}, but an account ID has twelve digits; write it in quotation marks."
  }
}

# --- What is kept, and for how long ---

variable "force_destroy" {
  description = "Whether `terraform destroy` may delete buckets that still contain images; takes effect with the next apply."
  type        = bool
  default     = false
}

variable "key_deletion_window_days" {
  description = "Waiting period, in days, before a destroyed KMS key is deleted for good and everything it encrypted becomes unreadable."
  type        = number
  default     = 30

  validation {
    condition     = var.key_deletion_window_days >= 7 && var.key_deletion_window_days <= 30
    error_message = "key_deletion_window_days is ${var.key_deletion_window_days}, but KMS allows 7 to 30."
  }
}

variable "table_deletion_protection" {
  description = "Whether the table is protected against deletion, including by `terraform destroy`."
  type        = bool
  default     = false
}

variable "noncurrent_version_expiration_days" {
  description = "Days to keep noncurrent object versions, so that deleted or overwritten images can be restored."
  type        = number
  default     = 30

  validation {
    condition     = var.noncurrent_version_expiration_days >= 1 && var.noncurrent_version_expiration_days % 1 == 0
    error_message = "noncurrent_version_expiration_days is ${var.noncurrent_version_expiration_days}, but must be a whole number of days, at least 1."
  }
}

# --- The package ---

variable "package_dir" {
  description = "Folder with the output of `make package`, absolute or relative to where Terraform runs; null means this repository's build/package."
  type        = string
  default     = null
}

# Terraform sees the names only: each build needs new keys. The bucket must be in the stack's region. Set `runtime` and
# `architecture` to what the zips were built for, unless that is python3.13 on arm64.
variable "package_s3" {
  description = "The zips of `make package` as objects that were uploaded to a bucket: `bucket`, `functions_key` and `layer_key`; null takes them from package_dir."
  type        = map(string)
  default     = null

  validation {
    condition     = var.package_s3 == null || try(toset(keys(var.package_s3)) == toset(["bucket", "functions_key", "layer_key"]), false)
    error_message = "package_s3 has ${join(", ", keys(coalesce(var.package_s3, {})))}, but needs bucket, functions_key and layer_key, and nothing else."
  }

  validation {
    condition     = var.package_s3 == null || var.package_dir == null
    error_message = "package_s3 and package_dir are both set, but only one of them can hold the zips."
  }
}

variable "runtime" {
  description = "Lambda runtime that the package must have been built for; null accepts any, and means python3.13 for package_s3."
  type        = string
  default     = null

  validation {
    condition     = var.runtime == null || can(regex("^python3\\.1[1-9]$", var.runtime))
    error_message = "runtime is '${coalesce(var.runtime, "null")}', but must be a Python runtime of Lambda, 3.11 or newer, for example python3.13."
  }
}

variable "architecture" {
  description = "Processor architecture that the package must have been built for: arm64 or x86_64; null accepts either, and means arm64 for package_s3."
  type        = string
  default     = null

  validation {
    condition     = contains(["arm64", "x86_64"], coalesce(var.architecture, "arm64"))
    error_message = "architecture is '${coalesce(var.architecture, "null")}', but must be arm64 or x86_64."
  }
}

# --- Functions ---

# The settings of a function:
# * memory_mb and timeout_seconds;
# * reserved_concurrency: concurrent invocations that are reserved for the function and also limit it; by default it shares
#   the account's. Where other systems share an account's 1,000, reserve 100 each for resize_image and copy_file, and 5 for
#   trigger. There is no default because AWS keeps 100 unreserved: in an account whose limit is still 10, every reservation
#   fails;
# * snap_start: whether new environments start from a snapshot, which AWS charges for by memory and time: about $2 a month
#   for upload, the only function for which a person waits. Each deployment leaves its predecessor behind for up to 14 days
#   (docs/costs.md). Requires python3.12 or newer.
variable "functions" {
  description = "Per-function overrides, keyed by function name, for example { resize_image = { memory_mb = 3008 } }; omitted settings keep their defaults."
  type        = map(map(string)) # numbers and booleans; maps for the reason that defaults.tf gives
  default     = {}
  nullable    = false

  validation {
    condition = length(setsubtract(keys(var.functions), [
      "upload", "trigger", "get_file_type", "copy_file", "resize_image", "write_to_dynamodb", "delete_file",
    ])) == 0
    error_message = "functions has settings for ${join(", ", keys(var.functions))}, but the functions are upload, trigger, get_file_type, copy_file, resize_image, write_to_dynamodb and delete_file."
  }

  validation {
    condition = length(setsubtract(
      flatten([for settings in values(var.functions) : keys(settings)]),
      ["memory_mb", "timeout_seconds", "reserved_concurrency", "snap_start"],
    )) == 0
    error_message = "functions has ${join(", ", distinct(flatten([for settings in values(var.functions) : keys(settings)])))}, but the settings of a function are memory_mb, timeout_seconds, reserved_concurrency and snap_start."
  }

  validation {
    condition = alltrue([
      for memory in [for settings in values(var.functions) : lookup(settings, "memory_mb", null)] :
      try(tonumber(memory) >= 128 && tonumber(memory) <= 10240, memory == null)
    ])
    error_message = "functions has a memory_mb that Lambda does not allow: it must be 128 to 10,240."
  }

  validation {
    condition     = try(tonumber(var.functions["resize_image"].memory_mb) >= 512, true)
    error_message = "resize_image must have a memory_mb of at least 512: its libraries need half of that, and the rest is for the image."
  }

  validation {
    condition = alltrue([
      for timeout in [for settings in values(var.functions) : lookup(settings, "timeout_seconds", null)] :
      try(tonumber(timeout) >= 1 && tonumber(timeout) <= 900, timeout == null)
    ])
    error_message = "functions has a timeout_seconds that Lambda does not allow: it must be 1 to 900."
  }

  validation {
    condition     = try(tonumber(var.functions["upload"].timeout_seconds) <= 29, true)
    error_message = "upload's timeout_seconds must be 29 at most: the API stops waiting for the answer after 30."
  }

  validation {
    condition = alltrue([
      for reserved in [for settings in values(var.functions) : lookup(settings, "reserved_concurrency", null)] :
      try(tonumber(reserved) >= 0, reserved == null)
    ])
    error_message = "functions has a reserved_concurrency below 0; leave it out for no reservation."
  }

  validation {
    condition     = alltrue([for settings in values(var.functions) : can(tobool(lookup(settings, "snap_start", null)))])
    error_message = "functions has a snap_start that is neither true nor false."
  }
}

variable "png_compression" {
  description = "PNG compression: `fast`, or `smallest` (about 8% smaller, about 20 times slower)."
  type        = string
  default     = "fast"

  validation {
    condition     = contains(["fast", "smallest"], var.png_compression)
    error_message = "png_compression is '${var.png_compression}', but must be fast or smallest."
  }
}

# What is made of each JPEG, from one decoding; the output and the record call the first one `resized`. For example
# { name = "thumb", format = "webp", max_width = 320, max_height = 320 }. Fields of a rendition:
#   name           how the output and the record call it
#   format         png, jpeg, webp or avif; the last two need `make package FORMATS=webp,avif`
#   max_width      pixels; like max_height, default is the image's own, and nothing is ever enlarged
#   max_height
#   fit            inside (default) keeps the whole image; cover crops it to the ratio of max_width and max_height
#   quality        1 to 100, not for png; default is 85 for jpeg, 80 for webp and 60 for avif
#   key            default is {dir}{stem}-{name}.{ext}, and {dir}{stem}.{ext} for a first one that is not a jpeg
#   cache_control  value of the header Cache-Control; default is none
#   metadata       none (default), or copyright, which keeps EXIF's copyright and artist
variable "renditions" {
  description = "Images to make of each JPEG, in order; the first one is what the article calls `resized`."
  type        = list(map(string)) # with numbers; maps for the reason that defaults.tf gives
  default     = [{ name = "png", format = "png" }]
  nullable    = false

  validation {
    condition     = length(var.renditions) >= 1 && length(var.renditions) <= 10
    error_message = "renditions has ${length(var.renditions)} entries, but must have 1 to 10."
  }

  validation {
    condition = length(setsubtract(flatten([for rendition in var.renditions : keys(rendition)]), [
      "name", "format", "max_width", "max_height", "fit", "quality", "key", "cache_control", "metadata",
    ])) == 0
    error_message = "renditions has the fields ${join(", ", distinct(flatten([for rendition in var.renditions : keys(rendition)])))}, but a rendition's fields are name, format, max_width, max_height, fit, quality, key, cache_control and metadata."
  }

  validation {
    condition     = alltrue([for rendition in var.renditions : can(regex("^[A-Za-z0-9_-]+$", rendition.name))])
    error_message = "renditions has an entry without a name, or with one that has other characters than letters, digits, _ and -."
  }

  validation {
    condition     = length(distinct([for rendition in var.renditions : lookup(rendition, "name", null)])) == length(var.renditions)
    error_message = "renditions has several entries with one name: ${join(", ", [for rendition in var.renditions : lookup(rendition, "name", "")])}."
  }

  validation {
    condition     = alltrue([for rendition in var.renditions : try(contains(["png", "jpeg", "webp", "avif"], rendition.format), false)])
    error_message = "renditions has the formats ${join(", ", [for rendition in var.renditions : try(coalesce(rendition.format), "none")])}, but a format must be png, jpeg, webp or avif."
  }

  validation {
    condition = alltrue([
      for size in flatten([for rendition in var.renditions : [for side in ["max_width", "max_height"] : lookup(rendition, side, null)]]) :
      try(tonumber(size) >= 1 && tonumber(size) <= 65500 && tonumber(size) % 1 == 0, size == null)
    ])
    error_message = "renditions has a max_width or max_height that is not a whole number of 1 to 65,500."
  }

  validation {
    condition = alltrue([
      for rendition in var.renditions : contains(["inside", "cover"], try(coalesce(rendition.fit), "inside")) && (
        try(rendition.fit, null) != "cover"
        || (lookup(rendition, "max_width", null) != null && lookup(rendition, "max_height", null) != null)
      )
    ])
    error_message = "renditions has a fit that is neither inside nor cover, or cover without max_width and max_height."
  }

  validation {
    condition = alltrue([
      for rendition in var.renditions : lookup(rendition, "quality", null) == null || try(
        rendition.format != "png" && contains(range(1, 101), tonumber(rendition.quality)), false
      )
    ])
    error_message = "renditions has a quality that is not a whole number of 1 to 100, or a png with one: its pixels are exact."
  }

  validation {
    condition     = alltrue([for rendition in var.renditions : contains(["none", "copyright"], try(coalesce(rendition.metadata), "none"))])
    error_message = "renditions has a metadata that is neither none nor copyright."
  }

  validation {
    condition = alltrue([
      for key in [for rendition in var.renditions : lookup(rendition, "key", null)] : key == null || try(
        strcontains(key, "{dir}") && strcontains(key, "{stem}") && endswith(key, ".{ext}") &&
        !startswith(key, "aside/") && !can(regex("[{}]", replace(key, "/{(dir|stem|name|ext)}/", ""))), false
      )
    ])
    error_message = "renditions has a key that breaks the rules: it must contain {dir} and {stem}, end with .{ext}, have no other braces except {name}, and not begin with aside/."
  }

  # The keys without what differs from image to image; the default of `key` is the same in defaults.tf, which would be a
  # cycle here.
  validation {
    condition = length(distinct(concat(["{dir}{stem}.jpg"], [
      for index, rendition in var.renditions : replace(replace(
        try(coalesce(rendition.key), index == 0 && rendition.format != "jpeg" ? "{dir}{stem}.{ext}" : "{dir}{stem}-{name}.{ext}", ""),
        "{name}", try(rendition.name, "")), "{ext}", try(rendition.format == "jpeg" ? "jpg" : rendition.format, "")
      )
    ]))) == length(var.renditions) + 1
    error_message = "renditions has keys that collide, with each other or with that of the original's copy, {dir}{stem}.jpg, so that one image would overwrite another: ${join(", ", [for rendition in var.renditions : "${try(rendition.name, "")} has ${try(coalesce(rendition.key), "the default")}"])}."
  }

  validation {
    condition     = length(jsonencode(var.renditions)) <= 2500
    error_message = "renditions has ${length(jsonencode(var.renditions))} characters as JSON, but must have 2,500 at most: Lambda limits a function's environment to 4 KB."
  }
}

# --- The state machine ---

# EXPRESS executions run at least once instead of exactly once, end after five minutes, and keep no history except their
# log, from which all commands read them. Their names need not be unique, so a notification that is delivered twice runs
# twice. If they are throttled, they can only wait for their five minutes: limit a flood with
# `trigger_maximum_concurrency`. Changing the type replaces the state machine and ends running executions;
# docs/operating.md describes how to pause first.
variable "workflow_type" {
  description = "Type of the state machine: `STANDARD`, or `EXPRESS`, which costs a sixth, ends executions after five minutes and keeps no history but the log."
  type        = string
  default     = "STANDARD"

  validation {
    condition     = contains(["STANDARD", "EXPRESS"], var.workflow_type)
    error_message = "workflow_type is '${var.workflow_type}', but must be STANDARD or EXPRESS."
  }
}

variable "execution_timeout_seconds" {
  description = "Seconds after which an execution times out; null means an hour for STANDARD, five minutes for EXPRESS."
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

# Each attempt of a STANDARD execution costs a state transition.
variable "retry" {
  description = "Retry settings of the state machine; defaults.tf lists them."
  type        = map(number)
  default     = {}
  nullable    = false

  validation {
    condition     = length(setsubtract(keys(var.retry), keys(local.retry_defaults))) == 0
    error_message = "retry has ${join(", ", keys(var.retry))}, but its settings are ${join(", ", keys(local.retry_defaults))}."
  }

  validation {
    condition = alltrue([
      for name, seconds in var.retry :
      try(seconds >= 1 && seconds <= 99999999 && floor(seconds) == seconds, seconds == null)
      if endswith(name, "interval_seconds")
    ])
    error_message = "retry has an interval that Step Functions does not allow: it must be a whole number of seconds, at least 1."
  }

  validation {
    condition = alltrue([
      for name, attempts in var.retry :
      try(attempts >= 0 && attempts <= 99999999 && floor(attempts) == attempts, attempts == null)
      if endswith(name, "max_attempts")
    ])
    error_message = "retry has a number of attempts that Step Functions does not allow: it must be a whole number, at least 0."
  }

  validation {
    condition     = alltrue([for name, rate in var.retry : try(rate >= 1, rate == null) if endswith(name, "backoff_rate")])
    error_message = "retry has a backoff rate below 1: each wait would be shorter than the one before."
  }

  validation {
    condition = try(
      merge(local.retry_defaults, var.retry).transient_max_delay_seconds < 31622400
      && merge(local.retry_defaults, var.retry).transient_max_delay_seconds > merge(local.retry_defaults, var.retry).transient_interval_seconds,
      true,
    )
    error_message = "retry.transient_max_delay_seconds is ${coalesce(lookup(var.retry, "transient_max_delay_seconds", null), local.retry_defaults.transient_max_delay_seconds)}, but must be more than transient_interval_seconds and less than 31,622,400."
  }
}

# --- From the bucket to the state machine ---

# S3 filters the notifications, so an object that does not match starts nothing, costs nothing and stays. This includes
# objects from the upload API, which accepts any name. S3 expects special characters URL-encoded: a space as +, = as %3D.
variable "source_filter" {
  description = "Which keys of the source bucket are handled: `prefixes` and `suffixes`, lists of which one each must match, with regard to case; by default all."
  type        = map(list(string))
  default     = {}
  nullable    = false

  validation {
    condition     = length(setsubtract(keys(var.source_filter), ["prefixes", "suffixes"])) == 0
    error_message = "source_filter has ${join(", ", keys(var.source_filter))}, but its settings are prefixes and suffixes."
  }

  # https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-how-to-filtering.html
  validation {
    condition = var.existing_source_bucket != null || alltrue([
      for text in flatten([for texts in values(var.source_filter) : texts if texts != null]) :
      can(regex("^([A-Za-z0-9!_.'()/+-]|%[0-9A-Fa-f]{2})+$", text)) && length(text) <= 1024
    ])
    error_message = "source_filter has ${join(", ", [for text in flatten([for texts in values(var.source_filter) : texts if texts != null]) : "'${text}'"])}, but S3 allows 1 to 1,024 letters, digits and !_.'()/- in each: write a space as + and other characters URL-encoded, = as %3D. There are no wildcards."
  }

  # EventBridge reports the new objects of an existing bucket, and compares keys as they are.
  validation {
    condition = var.existing_source_bucket == null || alltrue([
      for text in flatten([for texts in values(var.source_filter) : texts if texts != null]) :
      can(regex("^[^*\\\\]+$", text)) && length(text) <= 1024
    ])
    error_message = "source_filter has ${join(", ", [for text in flatten([for texts in values(var.source_filter) : texts if texts != null]) : "'${text}'"])}, but for an existing bucket each must have 1 to 1,024 characters other than * and \\: write keys as they are, not URL-encoded. There are no wildcards."
  }

  validation {
    condition = length(flatten([
      for place, prefix in coalesce(lookup(var.source_filter, "prefixes", null), []) : [
        for other_place, other in var.source_filter["prefixes"] : other if place != other_place && startswith(other, prefix)
      ]
    ])) == 0
    error_message = "source_filter.prefixes has ${join(", ", [for prefix in coalesce(lookup(var.source_filter, "prefixes", null), []) : "'${prefix}'"])}, but S3 refuses a prefix that another one begins with: leave out the longer of the two."
  }

  validation {
    condition = length(flatten([
      for place, suffix in coalesce(lookup(var.source_filter, "suffixes", null), []) : [
        for other_place, other in var.source_filter["suffixes"] : other if place != other_place && endswith(other, suffix)
      ]
    ])) == 0
    error_message = "source_filter.suffixes has ${join(", ", [for suffix in coalesce(lookup(var.source_filter, "suffixes", null), []) : "'${suffix}'"])}, but S3 refuses a suffix that another one ends with: leave out the longer of the two."
  }

  # https://docs.aws.amazon.com/general/latest/gr/s3.html: event notifications of a bucket
  validation {
    condition = 100 >= (
      max(1, length(coalesce(lookup(var.source_filter, "prefixes", null), [])))
      * max(1, length(coalesce(lookup(var.source_filter, "suffixes", null), [])))
    )
    error_message = "source_filter has ${try(length(var.source_filter.prefixes), 0)} prefixes and ${try(length(var.source_filter.suffixes), 0)} suffixes, but S3 allows at most 100 pairs of them."
  }
}

variable "paused" {
  description = "Whether uploads wait in the queue (for at most 14 days) instead of starting executions."
  type        = bool
  default     = false
  nullable    = false
}

# In a flood, the other batches wait in the queue. Starting an execution takes at least 20 ms, hence 50 a second. This also
# limits how many functions run at the same time: starts per second times the seconds of functions that an image needs.
# Executions that exceed the account's limit are throttled and retried, see `retry`; to leave room for the rest of the
# account, set `functions.*.reserved_concurrency`.
variable "trigger_maximum_concurrency" {
  description = "Maximum number of concurrent trigger invocations, which limits how fast executions start: at most 50 a second for each."
  type        = number
  default     = 5

  validation {
    condition     = var.trigger_maximum_concurrency >= 2 && var.trigger_maximum_concurrency <= 1000
    error_message = "trigger_maximum_concurrency is ${var.trigger_maximum_concurrency}, but Lambda allows 2 to 1,000."
  }

  # https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html
  validation {
    condition     = try(tonumber(var.functions["trigger"].reserved_concurrency) >= var.trigger_maximum_concurrency, true)
    error_message = "trigger_maximum_concurrency is ${var.trigger_maximum_concurrency}, but the trigger's reserved_concurrency is less: Lambda would throttle notifications, and a notification that is throttled ${var.max_receive_count} times becomes a dead letter. Increase reserved_concurrency, or lower trigger_maximum_concurrency."
  }
}

# AWS advises at least 5, because throttled deliveries count too.
variable "max_receive_count" {
  description = "Number of deliveries after which a notification moves to the dead-letter queue."
  type        = number
  default     = 5

  validation {
    condition     = var.max_receive_count >= 1 && var.max_receive_count <= 1000
    error_message = "max_receive_count is ${var.max_receive_count}, but SQS allows 1 to 1,000."
  }
}

# A change applies to executions that end after it: JPEGs that were kept before stay.
variable "source_after" {
  description = "Whether a JPEG is deleted from the source bucket after it was copied, converted and recorded: `delete`, or `keep`; null means `delete`."
  type        = string
  default     = null

  validation {
    condition     = contains(["delete", "keep"], coalesce(var.source_after, "delete"))
    error_message = "source_after is '${coalesce(var.source_after, "null")}', but must be delete or keep."
  }
}

# Deleted files can be restored for `noncurrent_version_expiration_days`. They are not converted either way.
variable "other_types" {
  description = "Whether a file that is not a JPEG, for example a HEIC or raw photo, is deleted from the source bucket: `delete`, or `keep`; null means `delete`, or `keep` for an existing bucket."
  type        = string
  default     = null

  validation {
    condition     = contains(["delete", "keep"], coalesce(var.other_types, "delete"))
    error_message = "other_types is '${coalesce(var.other_types, "null")}', but must be delete or keep."
  }
}

# --- Backfill and reprocess ---

# { enabled = true } makes a state machine that sends objects of the source bucket to the queue as if they had just been
# uploaded, and roles for it; docs/backfill.md describes it. The other settings, with their defaults in defaults.tf:
# max_concurrency, tolerated_failure_percentage and timeout_seconds.
variable "backfill" {
  description = "Whether commands can convert what is already in the source bucket, and make outdated renditions again: `enabled`, and settings of the state machine for both."
  type        = map(string) # a boolean and numbers; a map for the reason that defaults.tf gives
  default     = { enabled = false }
  nullable    = false

  validation {
    condition     = length(setsubtract(keys(var.backfill), concat(["enabled"], keys(local.backfill_defaults)))) == 0
    error_message = "backfill has ${join(", ", keys(var.backfill))}, but its settings are ${join(", ", concat(["enabled"], keys(local.backfill_defaults)))}."
  }

  validation {
    condition     = can(tobool(lookup(var.backfill, "enabled", null)))
    error_message = "backfill.enabled is '${try(coalesce(var.backfill["enabled"]), "null")}', but must be true or false."
  }

  # https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html
  validation {
    condition = alltrue([
      for value in [lookup(var.backfill, "max_concurrency", null)] :
      try(tonumber(value) >= 1 && tonumber(value) <= 10000 && tonumber(value) % 1 == 0, value == null)
    ])
    error_message = "backfill.max_concurrency is ${try(coalesce(var.backfill["max_concurrency"]), "null")}, but must be a whole number of 1 to 10,000."
  }

  validation {
    condition = alltrue([
      for value in [lookup(var.backfill, "tolerated_failure_percentage", null)] :
      try(tonumber(value) >= 0 && tonumber(value) <= 100, value == null)
    ])
    error_message = "backfill.tolerated_failure_percentage is ${try(coalesce(var.backfill["tolerated_failure_percentage"]), "null")}, but must be 0 to 100."
  }

  validation {
    condition = alltrue([
      for value in [lookup(var.backfill, "timeout_seconds", null)] :
      try(tonumber(value) >= 1 && tonumber(value) <= 31536000 && tonumber(value) % 1 == 0, value == null)
    ])
    error_message = "backfill.timeout_seconds is ${try(coalesce(var.backfill["timeout_seconds"]), "null")}, but must be a whole number of 1 to 31,536,000 (a year)."
  }
}

# For example { bucket = "inventories", prefix = "photos/daily/" }; kms_key_arn if a KMS key encrypts them. What is under
# backfill-manifests/ in the destination bucket can be read in any case.
variable "backfill_manifests" {
  description = "Places in buckets of this account and region whose manifests the backfill may read, those of S3 Inventory for example: `bucket`, `prefix` and `kms_key_arn`."
  type        = list(map(string))
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for place in var.backfill_manifests : length(setsubtract(keys(place), ["bucket", "prefix", "kms_key_arn"])) == 0])
    error_message = "backfill_manifests has ${join(", ", distinct(flatten([for place in var.backfill_manifests : keys(place)])))}, but the settings of a place are bucket, prefix and kms_key_arn."
  }

  validation {
    condition     = alltrue([for place in var.backfill_manifests : can(regex("^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$", place.bucket))])
    error_message = "backfill_manifests has a place without the name of a bucket."
  }

  validation {
    condition     = alltrue([for place in var.backfill_manifests : !can(regex("[*?$]", place.prefix))])
    error_message = "backfill_manifests has the prefixes ${join(", ", [for place in var.backfill_manifests : "'${try(coalesce(place.prefix), "")}'"])}, but there are no wildcards, and IAM policies cannot have *, ? and $ in them."
  }

  validation {
    condition = alltrue([
      for place in var.backfill_manifests : lookup(place, "kms_key_arn", null) == null || can(regex("^arn:[a-z-]+:kms:[a-z0-9-]+:\\d{12}:key/[a-z0-9-]+$", place.kms_key_arn))
    ])
    error_message = "backfill_manifests has a kms_key_arn that is not the ARN of a key; an alias does not work."
  }

  validation {
    condition     = length(var.backfill_manifests) == 0 || try(tobool(var.backfill["enabled"]), false) == true
    error_message = "backfill_manifests names places for a backfill, but backfill.enabled is not true."
  }
}

# --- Events ---

# Each event is sent at least once for images that were converted. Failures are read from the state machine's log, which
# AWS delivers on a best-effort basis. docs/events.schema.json describes the events.
variable "events" {
  description = "Where to send an event for each image that was converted or failed for good: `bus`, which is `default` or the ARN of an EventBridge bus; null sends none."
  type        = map(string)
  default     = null

  validation {
    condition     = var.events == null || try(join(",", keys(var.events)) == "bus", false)
    error_message = "events has ${join(", ", keys(coalesce(var.events, {})))}, but its only setting is bus."
  }

  # The policy of another account's bus must admit this account.
  validation {
    condition     = var.events == null || can(regex("^(default|arn:[a-z-]+:events:[a-z0-9-]+:\\d{12}:event-bus/[A-Za-z0-9._/-]+)$", var.events["bus"]))
    error_message = "events.bus is '${try(var.events["bus"], "null")}', but must be default or the ARN of an EventBridge bus."
  }

  validation {
    condition     = var.events == null || (contains(["ALL", "ERROR"], coalesce(var.state_machine_log_level, "ERROR")) && var.state_machine_log_execution_data)
    error_message = "events needs the state machine's log: state_machine_log_level must be ERROR or ALL, and state_machine_log_execution_data true."
  }

  validation {
    condition     = var.events == null || coalesce(var.state_machine_log_class, "STANDARD") == "STANDARD"
    error_message = "events needs a log group that can be subscribed to: state_machine_log_class must be STANDARD."
  }
}

# --- The upload API ---

# Without it, images are uploaded to the source bucket directly.
variable "create_upload_api" {
  description = "Whether to create the HTTP API and its function."
  type        = bool
  default     = true
  nullable    = false
}

# A page sends its requests with a token or a signature; the origin alone admits nobody.
variable "upload_cors_origins" {
  description = "Origins of web pages whose scripts may call the upload API and upload with its form, for example https://example.com."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition = alltrue([
      for origin in var.upload_cors_origins :
      can(regex("^(https://[a-z0-9.-]+|http://(localhost|127\\.0\\.0\\.1))(:[0-9]+)?$", origin))
    ])
    error_message = "upload_cors_origins has ${join(", ", [for origin in var.upload_cors_origins : "'${origin}'"])}, but an origin is https:// with a host name in lower case and perhaps a port, without a slash at the end; http:// only for localhost and 127.0.0.1."
  }
}

# Lambda accepts 6 MB, and the image travels as base64. Larger images use the form of POST /upload-url, or S3.
variable "max_upload_bytes" {
  description = "Largest image, in bytes, that `POST /upload` accepts."
  type        = number
  default     = 4500000

  validation {
    condition     = var.max_upload_bytes >= 1 && var.max_upload_bytes <= 4700000
    error_message = "max_upload_bytes is ${var.max_upload_bytes}, but must be 1 to 4,700,000: a larger image, as base64 and with the headers, exceeds the 6 MB that Lambda accepts."
  }
}

variable "upload_form" {
  description = "Presigned form of `POST /upload-url`, which uploads larger images directly to S3: `max_bytes` and `expires_seconds`."
  type        = map(number)
  default     = {}
  nullable    = false

  validation {
    condition     = length(setsubtract(keys(var.upload_form), keys(local.upload_form_defaults))) == 0
    error_message = "upload_form has ${join(", ", keys(var.upload_form))}, but its settings are ${join(", ", keys(local.upload_form_defaults))}."
  }

  validation {
    condition = alltrue([
      for bytes in [lookup(var.upload_form, "max_bytes", null)] :
      try(bytes >= 1 && bytes <= 5368709120 && floor(bytes) == bytes, bytes == null)
    ])
    error_message = "upload_form.max_bytes is ${coalesce(lookup(var.upload_form, "max_bytes", 0), 0)}, but S3 accepts 1 to 5,368,709,120 bytes in a form upload."
  }

  validation {
    condition = alltrue([
      for seconds in [lookup(var.upload_form, "expires_seconds", null)] :
      try(seconds >= 1 && seconds <= 3600 && floor(seconds) == seconds, seconds == null)
    ])
    error_message = "upload_form.expires_seconds is ${coalesce(lookup(var.upload_form, "expires_seconds", 0), 0)}, but must be 1 to 3,600: anybody who has the form can upload until it expires."
  }
}

# { issuer = "https://...", audience = ["..."], scopes = ["..."] }: the keys of the tokens are fetched from the issuer's
# address; a token must have one of the audiences, and one of the scopes unless they are left out.
variable "upload_jwt" {
  description = "JWT authorizer settings of the upload API: `issuer`, `audience` and `scopes`; null uses IAM authorization."
  type        = any # a mixture of types; the validations check it
  default     = null

  validation {
    condition     = var.upload_jwt == null ? true : try(length(setsubtract(keys(var.upload_jwt), ["issuer", "audience", "scopes"])) == 0, false)
    error_message = "upload_jwt has ${join(", ", try(keys(var.upload_jwt), ["no settings"]))}, but its settings are issuer, audience and, optionally, scopes."
  }

  validation {
    condition     = var.upload_jwt == null ? true : try(startswith(var.upload_jwt.issuer, "https://"), false)
    error_message = "upload_jwt.issuer is '${try(var.upload_jwt.issuer, "")}', but must be an https:// address, because the keys of the tokens are fetched from it."
  }

  validation {
    condition     = var.upload_jwt == null ? true : try(length(tolist([for text in var.upload_jwt.audience : tostring(text)])) > 0, false)
    error_message = "upload_jwt.audience must be a list of at least one audience: otherwise every token of the issuer would be accepted."
  }
}

variable "upload_throttle" {
  description = "Throttling of the upload API: `requests_per_second` and `burst`."
  type        = map(number)
  default     = {}
  nullable    = false

  validation {
    condition     = length(setsubtract(keys(var.upload_throttle), keys(local.upload_throttle_defaults))) == 0
    error_message = "upload_throttle has ${join(", ", keys(var.upload_throttle))}, but its settings are ${join(", ", keys(local.upload_throttle_defaults))}."
  }

  validation {
    condition     = alltrue([for value in values(var.upload_throttle) : try(value > 0, value == null)])
    error_message = "upload_throttle contains a 0, which would let nothing through: both values must be more than 0."
  }
}

# --- Logs, traces, alarms ---

variable "log_level" {
  description = "Minimum log level of the functions: DEBUG, INFO, WARNING or ERROR."
  type        = string
  default     = "INFO"

  validation {
    condition     = contains(["DEBUG", "INFO", "WARNING", "ERROR"], var.log_level)
    error_message = "log_level is '${var.log_level}', but must be DEBUG, INFO, WARNING or ERROR."
  }
}

# The functions' own lines are JSON in either case.
variable "log_format" {
  description = "Format of the lines that Lambda itself logs (start and report of each invocation): Text, the default for STANDARD, or JSON, the default for EXPRESS."
  type        = string
  default     = null

  validation {
    condition     = contains(["Text", "JSON"], coalesce(var.log_format, "Text"))
    error_message = "log_format is '${coalesce(var.log_format, "Text")}', but must be Text or JSON."
  }
}

# With WARN, Lambda logs neither the start nor the report of an invocation that succeeds; the functions' own lines say how
# long they took.
variable "system_log_level" {
  description = "Minimum level of the lines that Lambda itself logs: DEBUG, INFO or WARN, which needs JSON; null means INFO, or WARN for EXPRESS with JSON."
  type        = string
  default     = null

  validation {
    condition     = contains(["DEBUG", "INFO", "WARN"], coalesce(var.system_log_level, "INFO"))
    error_message = "system_log_level is '${coalesce(var.system_log_level, "INFO")}', but must be DEBUG, INFO or WARN."
  }

  validation {
    condition     = coalesce(var.system_log_level, "INFO") == "INFO" || coalesce(var.log_format, var.workflow_type == "EXPRESS" ? "JSON" : "Text") == "JSON"
    error_message = "system_log_level is '${coalesce(var.system_log_level, "INFO")}', which needs log_format = \"JSON\"."
  }
}

variable "log_retention_days" {
  description = "Days to keep logs, including the buckets' access logs."
  type        = number
  default     = 365

  validation {
    condition = contains([
      1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
    ], var.log_retention_days)
    error_message = "log_retention_days is ${var.log_retention_days}, but CloudWatch allows 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288 or 3653."
  }
}

# AWS keeps the history of STANDARD executions; EXPRESS executions have no other history than this log.
variable "state_machine_log_level" {
  description = "Events of executions to log: ALL, ERROR, FATAL or OFF; null means ERROR for STANDARD and ALL for EXPRESS."
  type        = string
  default     = null

  validation {
    condition     = contains(["ALL", "ERROR", "FATAL", "OFF"], coalesce(var.state_machine_log_level, "ERROR"))
    error_message = "state_machine_log_level is '${coalesce(var.state_machine_log_level, "null")}', but must be ALL, ERROR, FATAL or OFF."
  }
}

# AWS cannot change the class of a log group: Terraform replaces the group, and what was logged is gone.
variable "state_machine_log_class" {
  description = "Class of the state machine's log group: STANDARD, or INFREQUENT_ACCESS at half the price, which only Logs Insights reads; null means INFREQUENT_ACCESS for EXPRESS without events."
  type        = string
  default     = null

  validation {
    condition     = contains(["STANDARD", "INFREQUENT_ACCESS"], coalesce(var.state_machine_log_class, "STANDARD"))
    error_message = "state_machine_log_class is '${coalesce(var.state_machine_log_class, "null")}', but must be STANDARD or INFREQUENT_ACCESS."
  }
}

variable "state_machine_log_execution_data" {
  description = "Whether logged events include the input and output of states: names of buckets and objects, but no images."
  type        = bool
  default     = true
}

# The functions use the X-Ray SDK for this, which AWS supports with security fixes until 25 February 2027; false does not
# load it.
variable "tracing" {
  description = "Whether X-Ray traces functions and executions."
  type        = bool
  default     = true
}

variable "create_dashboard" {
  description = "Whether to create the CloudWatch dashboard and the saved Logs Insights queries."
  type        = bool
  default     = true
  nullable    = false
}

variable "create_alarms" {
  description = "Whether to create alarms; without them nobody is notified when an image fails."
  type        = bool
  default     = true
  nullable    = false
}

# Its policy needs the statements of the output `alarm_topic_statements`; if a key of its own encrypts it, CloudWatch needs
# that key, too.
variable "alarm_topic_arn" {
  description = "ARN of an existing SNS topic, in this region, that alarms are published to; null creates one."
  type        = string
  default     = null

  validation {
    condition     = var.alarm_topic_arn == null || can(regex("^arn:[a-z-]+:sns:[a-z0-9-]+:\\d{12}:[A-Za-z0-9_-]+$", var.alarm_topic_arn))
    error_message = "alarm_topic_arn is '${coalesce(var.alarm_topic_arn, "null")}', but must be the ARN of an SNS topic."
  }

  validation {
    condition     = var.alarm_topic_arn == null || var.create_alarms
    error_message = "alarm_topic_arn is set, but create_alarms is false, so there is nothing to publish."
  }
}

variable "create_alarm_topic" {
  description = "Whether to create an SNS topic; null means unless alarm_topic_arn is set. Set it to false if that ARN is only known after apply."
  type        = bool
  default     = null

  validation {
    condition     = coalesce(var.create_alarm_topic, true) || var.alarm_topic_arn != null
    error_message = "create_alarm_topic is false, so alarm_topic_arn must name the topic to use."
  }

  validation {
    condition     = !coalesce(var.create_alarm_topic, false) || var.alarm_topic_arn == null
    error_message = "create_alarm_topic is true, but alarm_topic_arn names a topic to use instead."
  }
}

variable "alarm_email" {
  description = "E-mail address for alarm notifications (AWS sends a confirmation link first); null for none."
  type        = string
  default     = null

  validation {
    condition     = var.alarm_email == null || can(regex("^[^@\\s]+@[^@\\s]+\\.[^@\\s]+$", var.alarm_email))
    error_message = "alarm_email is '${coalesce(var.alarm_email, "null")}', which is not an e-mail address."
  }

  validation {
    condition     = var.alarm_email == null || (var.create_alarms && coalesce(var.create_alarm_topic, var.alarm_topic_arn == null))
    error_message = "alarm_email subscribes to the topic that this stack creates, but it creates none: subscribe to your own topic instead."
  }
}

variable "alarm_thresholds" {
  description = "Thresholds of the alarms, `upload_errors` and `queue_age_seconds`; failed executions and dead letters always raise one."
  type        = map(number)
  default     = {}
  nullable    = false

  validation {
    condition     = length(setsubtract(keys(var.alarm_thresholds), keys(local.alarm_thresholds_defaults))) == 0
    error_message = "alarm_thresholds has ${join(", ", keys(var.alarm_thresholds))}, but its settings are ${join(", ", keys(local.alarm_thresholds_defaults))}."
  }

  validation {
    condition     = alltrue([for value in values(var.alarm_thresholds) : try(value >= 1, value == null)])
    error_message = "alarm_thresholds has a value below 1: its alarm would never end."
  }
}

# The budget counts costs by the tag Project. Activate it first as a cost allocation tag in the billing console of the
# account that pays, otherwise the budget counts nothing. AWS updates the figure a few times a day: it warns, it does not
# stop anything. If stacks in two regions have the same name, each budget counts both.
variable "monthly_budget_usd" {
  description = "Monthly budget in US dollars, which notifies the alarm topic at 80% actual and 100% forecast spend; null for none."
  type        = number
  default     = null

  validation {
    condition     = try(var.monthly_budget_usd > 0, var.monthly_budget_usd == null)
    error_message = "monthly_budget_usd is ${coalesce(var.monthly_budget_usd, 0)}, but must be more than 0; leave it out for no budget."
  }

  validation {
    condition     = var.monthly_budget_usd == null || var.create_alarms
    error_message = "monthly_budget_usd notifies the topic of the alarms, but create_alarms is false."
  }
}
