// A worker around sharp; see engines.py. Arguments: the engine's name, the folder with node_modules.
const fs = require('node:fs');
const path = require('node:path');
const readline = require('node:readline');

const [name, folder] = process.argv.slice(2);
const sharp = require(path.join(folder, 'node_modules', 'sharp'));
const options = name === 'sharp' ? {} : { compressionLevel: 1, adaptiveFiltering: false };
sharp.cache(false);

async function main() {
  for await (const line of readline.createInterface({ input: process.stdin })) {
    const [jpeg, png] = line.split('\t');
    const before = process.cpuUsage();
    await sharp(jpeg).png(options).toFile(png);
    const used = process.cpuUsage(before);
    const [, peak] = fs.readFileSync('/proc/self/status', 'utf8').match(/VmHWM:\s+(\d+)/);
    console.log(
      JSON.stringify({ cpu_ms: (used.user + used.system) / 1000, peak_mb: (peak * 1024) / 1e6 }),
    );
  }
}

main();
