variable "name" {
  description = "Name of the queue; the dead-letter queue's is the same with `-dead-letters`."
  type        = string
}

variable "queue_arn" {
  description = "ARN that the queue will have: its own policy and that of the dead-letter queue name it."
  type        = string
}

variable "bucket_name" {
  description = "Name of the bucket whose new objects are handled."
  type        = string
}

variable "bucket_arn" {
  description = "ARN of that bucket: nothing else may send to the queue."
  type        = string
}

variable "function_arn" {
  description = "ARN of the function that handles the messages."
  type        = string
}

variable "function_timeout_seconds" {
  description = "That function's timeout; the queue's visibility timeout follows from it."
  type        = number
}

variable "kms_key_arn" {
  description = "ARN of the key that encrypts the messages."
  type        = string
}

variable "batch_size" {
  description = "Messages that the function gets at most at a time."
  type        = number
  default     = 10
}

variable "batching_window_seconds" {
  description = "Seconds to wait for a batch to fill; 0 hands over what is there."
  type        = number
  default     = 0
}

variable "maximum_concurrency" {
  description = "Batches that are handled at the same time at most; more messages wait in the queue."
  type        = number
}

variable "paused" {
  description = "Whether messages wait in the queue instead of being handled."
  type        = bool
  default     = false
}

variable "max_receive_count" {
  description = "Deliveries after which a message moves to the dead-letter queue."
  type        = number
}

variable "message_retention_seconds" {
  description = "Seconds for which the queue keeps a message that nobody handles. The default is the most that SQS keeps: what expires is no dead letter, and nobody hears of its image."
  type        = number
  default     = 1209600
}
