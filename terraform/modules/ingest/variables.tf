variable "name" {
  description = "Name of the queue; the name of the dead-letter queue adds `-dead-letters`."
  type        = string
}

variable "queue_arn" {
  description = "ARN that the queue will have, which both queues' policies need in advance."
  type        = string
}

variable "bucket_name" {
  description = "Name of the bucket whose new objects are handled."
  type        = string
}

variable "bucket_arn" {
  description = "ARN of that bucket, the only one that may send to the queue."
  type        = string
}

variable "rule_arn" {
  description = "ARN that an EventBridge rule named after the queue will have, which then sends the bucket's events; null lets S3 send them."
  type        = string
  default     = null
}

variable "source_filter" {
  description = "Which keys S3 sends notifications about; by default all."
  type = object({
    prefixes = optional(list(string), []) # a key must begin with one of these; an empty list matches all
    suffixes = optional(list(string), []) # a key must end with one of these; an empty list matches all
  })
  default  = {}
  nullable = false
}

variable "function_arn" {
  description = "ARN of the function that handles the messages."
  type        = string
}

variable "function_timeout_seconds" {
  description = "Timeout of that function, from which the queue's visibility timeout is calculated."
  type        = number
}

variable "kms_key_arn" {
  description = "ARN of the key that encrypts the messages."
  type        = string
}

variable "batch_size" {
  description = "Maximum number of messages in an invocation."
  type        = number
  default     = 10
}

variable "batching_window_seconds" {
  description = "Seconds to wait for a batch to fill; 0 hands over messages at once."
  type        = number
  default     = 0
}

variable "maximum_concurrency" {
  description = "Maximum number of concurrent invocations; further messages wait in the queue."
  type        = number
}

variable "paused" {
  description = "Whether messages wait in the queue instead of being handled."
  type        = bool
  default     = false
}

variable "max_receive_count" {
  description = "Number of deliveries after which a message moves to the dead-letter queue."
  type        = number
}

# A message that expires does not become a dead letter, and does not raise an alarm.
variable "message_retention_seconds" {
  description = "Seconds to keep a message that is not handled; the default is the maximum of SQS."
  type        = number
  default     = 1209600
}

variable "tags" {
  description = "Tags for all resources of the module."
  type        = map(string)
  default     = {}
}
