# The output of `make package`: two zips, and a manifest that says which runtime and architecture they were built for.

locals {
  manifest = try(jsondecode(file("${var.package_dir}/manifest.json")), null)

  # Without a package a stack can still be destroyed: these defaults then replace the manifest's values.
  runtime      = try(local.manifest.runtime, "python3.13")
  architecture = try(local.manifest.architecture, "arm64")
  artifacts = {
    for artifact in ["functions", "layer"] : artifact => {
      file = "${var.package_dir}/${try(local.manifest.artifacts[artifact].file, "${artifact}.zip")}"
      hash = try(local.manifest.artifacts[artifact].sha256_base64, "")
    }
  }

  wanted = {
    runtime      = var.runtime == null ? local.runtime : var.runtime
    architecture = var.architecture == null ? local.architecture : var.architecture
  }
  make_package = join(" ", compact([
    "make package",
    var.runtime == null ? "" : "RUNTIME=${var.runtime}",
    var.architecture == null ? "" : "ARCHITECTURE=${var.architecture}",
  ]))
}

# Creates nothing: its preconditions fail the plan if the package is missing or wrong.
resource "terraform_data" "package" {
  lifecycle {
    precondition {
      condition     = local.manifest != null
      error_message = "There is no package in ${var.package_dir}. Run `${local.make_package}` first."
    }

    precondition {
      condition = local.manifest == null || (
        local.wanted.runtime == local.runtime && local.wanted.architecture == local.architecture
      )
      error_message = join(" ", [
        "The package in ${var.package_dir} was built for ${local.runtime} on ${local.architecture},",
        "but the variables ask for ${local.wanted.runtime} on ${local.wanted.architecture}.",
        "Run `${local.make_package}`.",
      ])
    }

    precondition {
      condition = local.runtime != "python3.11" || !anytrue(values(var.functions)[*].snap_start)
      error_message = join(" ", [
        "functions has snap_start, but the package in ${var.package_dir} was built for python3.11, and Lambda",
        "supports snapshots from python3.12 on. Omit snap_start, or run `make package RUNTIME=python3.13`.",
      ])
    }

    precondition {
      condition = local.manifest == null || alltrue([
        for artifact in local.artifacts : try(filebase64sha256(artifact.file), "") == artifact.hash
      ])
      error_message = "The zips in ${var.package_dir} do not match its manifest. Run `${local.make_package}`."
    }
  }
}
