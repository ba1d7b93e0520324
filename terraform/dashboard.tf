# The dashboard: outcomes, times, failures, the queue, the functions, cost drivers.

locals {
  dashboard_url = !var.create_dashboard ? null : "https://${local.region}.console.${local.console_domain}/cloudwatch/home?region=${local.region}#dashboards/dashboard/${local.dashboard_name}"
  console_domain = lookup({
    aws-cn     = "amazonaws.cn"
    aws-us-gov = "amazonaws-us-gov.com"
  }, local.partition, "aws.amazon.com")

  # The functions' lines are JSON; Logs Insights finds their fields by itself.
  function_log_sources = join(" | ", [for function in keys(local.function_names) : "SOURCE '${local.log_groups[function]}'"])

  executions = [
    for outcome, metric in { succeeded = "ExecutionsSucceeded", failed = "ExecutionsFailed", "timed out" = "ExecutionsTimedOut", aborted = "ExecutionsAborted" } :
    ["AWS/States", metric, "StateMachineArn", module.state_machine.arn, {
      label = outcome
      color = { succeeded = "#1d8348", failed = "#c62b2b", "timed out" = "#c76a00", aborted = "#99a4b0" }[outcome]
    }]
  ]
  # With WARN, Lambda reports no invocation that succeeds; the functions' own lines say what is needed of it.
  cold_starts = (
    local.system_log_level == "WARN"
    ? "filter ispresent(ms) | stats count(coldStartMs) as cold, count(*) as calls, avg(coldStartMs) as ms by @log"
    : "filter @type = 'REPORT' or type = 'platform.report' | fields coalesce(@initDuration, record.metrics.initDurationMs) as init | stats count(init) as cold, count(*) as calls, avg(init) as ms by @log"
  )
  function_metrics = {
    for metric in ["Duration", "Invocations", "Throttles"] :
    metric => [for function, name in local.function_names : ["AWS/Lambda", metric, "FunctionName", name, { label = replace(function, "_", " ") }]]
  }

  # Rows of widgets, each 24 columns wide.
  dashboard_rows = [
    [
      { kind = "metric", title = "Executions per hour, by outcome", metrics = local.executions, period = 3600, stacked = true },
      {
        kind    = "log", title = "Images per hour, by type"
        query   = "filter message = 'file type found' | fields strcontains(fileType, 'jpg') as jpeg | stats sum(jpeg) as JPEG, count(*) - sum(jpeg) as other by bin(1h)"
        view    = "bar"
        sources = "SOURCE '${local.log_groups.get_file_type}'"
      },
      {
        kind    = "log", title = "Seconds from upload to PNG"
        query   = "filter message = 'converted' and repeated = 0 | stats pct(secondsSinceUpload, 50) as median, pct(secondsSinceUpload, 95) as p95, max(secondsSinceUpload) as longest by bin(1h)"
        view    = "timeSeries"
        sources = "SOURCE '${local.log_groups.resize_image}'"
      },
    ],
    [
      { kind = "log", title = "Failures, by error", query = "filter message = 'failed' | stats count(*) as failures by error | sort failures desc", view = "table", sources = local.function_log_sources },
      { kind = "log", title = "Latest failures", query = "fields @timestamp, key, error, cause | filter message = 'failed' | sort @timestamp desc | limit 20", view = "table", sources = local.function_log_sources },
      {
        kind = "metric", title = "Execution time, ms", period = 300, stacked = false
        metrics = [
          for statistic in ["p50", "p95", "Maximum"] :
          ["AWS/States", "ExecutionTime", "StateMachineArn", module.state_machine.arn, { stat = statistic, label = statistic }]
        ]
      },
    ],
    [
      {
        kind    = "metric", title = "Queue: age of the oldest message, seconds", period = 60, stacked = false
        metrics = [["AWS/SQS", "ApproximateAgeOfOldestMessage", "QueueName", module.ingest.queue_name, { stat = "Maximum", label = "oldest" }]]
      },
      {
        kind = "metric", title = "Queue: messages", period = 60, stacked = false
        metrics = [
          ["AWS/SQS", "ApproximateNumberOfMessagesVisible", "QueueName", module.ingest.queue_name, { stat = "Maximum", label = "waiting" }],
          ["AWS/SQS", "ApproximateNumberOfMessagesNotVisible", "QueueName", module.ingest.queue_name, { stat = "Maximum", label = "in flight" }],
        ]
      },
      {
        kind    = "metric", title = "Dead letters", period = 60, stacked = false
        metrics = [["AWS/SQS", "ApproximateNumberOfMessagesVisible", "QueueName", module.ingest.dead_letter_queue_name, { stat = "Maximum", label = "dead letters", color = "#c62b2b" }]]
      },
    ],
    [
      { kind = "metric", title = "Function duration, ms, p95", metrics = local.function_metrics.Duration, statistic = "p95", period = 300, stacked = false },
      {
        kind    = "log", title = "Cold starts and their milliseconds, per function"
        query   = local.cold_starts
        view    = "table"
        sources = local.function_log_sources
      },
      { kind = "metric", title = "Throttled calls", metrics = local.function_metrics.Throttles, period = 300, stacked = false },
    ],
    [
      { kind = "metric", title = "Cost driver: calls of functions per hour", metrics = local.function_metrics.Invocations, period = 3600, stacked = true },
      {
        kind = "metric", title = "Cost driver: function time, GB-seconds per hour", period = 3600, stacked = true
        metrics = concat(
          [for function, name in local.function_names : ["AWS/Lambda", "Duration", "FunctionName", name, { id = function, visible = false }]],
          [for function in keys(local.function_names) : [{ expression = "${function} * ${local.function_settings[function].memory_mb} / 1024 / 1000", label = replace(function, "_", " ") }]],
        )
      },
      {
        kind = "metric", title = "Cost driver: writes to the table, bytes into logs", period = 3600, stacked = false
        metrics = concat(
          [["AWS/DynamoDB", "ConsumedWriteCapacityUnits", "TableName", module.table.name, { label = "write units" }]],
          [for writer in concat(keys(local.function_names), ["state_machine"]) : ["AWS/Logs", "IncomingBytes", "LogGroupName", local.log_groups[writer], { label = "log ${replace(writer, "_", " ")}", yAxis = "right" }]],
        )
      },
    ],
  ]

  widgets = flatten([
    for row, widgets in local.dashboard_rows : [
      for column, widget in widgets : {
        type   = widget.kind
        x      = column * 8
        y      = 2 + row * 6
        width  = 8
        height = 6
        properties = {
          for name, value in {
            title   = widget.title
            region  = local.region
            view    = try(widget.view, "timeSeries")
            metrics = try(widget.metrics, null)
            period  = try(widget.period, null)
            stacked = try(widget.stacked, null)
            stat    = widget.kind == "metric" ? try(widget.statistic, "Sum") : null
            query   = try("${widget.sources} | ${widget.query}", null)
          } : name => value if value != null
        }
      }
    ]
  ])

  alarms_widgets = [for names in module.alarms[*].names : {
    type   = "alarm"
    x      = 0
    y      = 0
    width  = 24
    height = 2
    properties = {
      title  = "Alarms"
      alarms = [for name in names : "arn:${local.partition}:cloudwatch:${local.region}:${local.account}:alarm:${name}"]
    }
  }]
}

resource "aws_cloudwatch_dashboard" "this" {
  count = var.create_dashboard ? 1 : 0

  dashboard_name = local.dashboard_name
  dashboard_body = jsonencode({ widgets = concat(local.alarms_widgets, local.widgets) })
}

resource "aws_cloudwatch_query_definition" "image" {
  count = var.create_dashboard ? 1 : 0

  name            = "${var.name}/What happened to an image"
  log_group_names = [for function in keys(local.function_names) : local.log_groups[function]]

  query_string = <<-EOT
    # Put the image's key between the quotes to see all log lines about it, in order.
    fields @timestamp, @log, level, message, error, cause, fileType, destinationKey, pngKey, secondsSinceUpload
    | filter key = "photo.jpg"
    | sort @timestamp asc
    | limit 200
  EOT
}

# EXPRESS executions have no other history; lines of the same millisecond are in the order of their ids.
resource "aws_cloudwatch_query_definition" "executions" {
  count = var.create_dashboard && var.workflow_type == "EXPRESS" ? 1 : 0

  name            = "${var.name}/What an execution did"
  log_group_names = [local.log_groups.state_machine]

  query_string = <<-EOT
    # Put the execution's ARN, or the image's key as part of the name, between the slashes.
    fields @timestamp, type, details.name, details.error, details.cause, execution_arn
    | fields id * 1 as number
    | filter execution_arn like /photo-jpg/
    | sort execution_arn asc, number asc
    | limit 500
  EOT
}

# States from before the dashboard could be left out.
moved {
  from = aws_cloudwatch_dashboard.this
  to   = aws_cloudwatch_dashboard.this[0]
}

moved {
  from = aws_cloudwatch_query_definition.image
  to   = aws_cloudwatch_query_definition.image[0]
}
