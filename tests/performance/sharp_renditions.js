// Makes renditions with sharp; see renditions.py. Argument: the folder with node_modules. Each line
// is a job in JSON: the JPEG, and for each output its file, format, options and width (0: all).
const path = require('node:path');
const readline = require('node:readline');

const sharp = require(path.join(process.argv[2], 'node_modules', 'sharp'));
sharp.cache(false);
sharp.concurrency(1);

async function main() {
  for await (const line of readline.createInterface({ input: process.stdin })) {
    const { jpeg, outputs } = JSON.parse(line);
    const before = process.cpuUsage();
    for (const { file, format, options, width } of outputs) {
      const image = sharp(jpeg);
      if (width) image.resize(width);
      await image.toFormat(format, options).toFile(file);
    }
    const used = process.cpuUsage(before);
    console.log((used.user + used.system) / 1000);
  }
}

main();
