/**
 * Type-checks client and recipes, and builds `dist/`: one module and its declarations. Deterministic, as `web/build.mjs`.
 * `--check` compares with what is committed instead of writing.
 */
import { createHash } from "node:crypto";
import { execFileSync } from "node:child_process";
import { mkdtemp, mkdir, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));
const tsc = (...flags) => execFileSync(process.execPath, [join(here, "node_modules/typescript/bin/tsc"), "-p", here, ...flags], { stdio: "inherit" });

tsc();
const scratch = await mkdtemp(join(here, ".declared-"));
const files = new Map();
try {
  tsc("--noEmit", "false", "--declaration", "--emitDeclarationOnly", "--outDir", scratch);
  for (const name of ["index.d.ts", "types.d.ts"]) files.set(name, await readFile(join(scratch, "src", name)));
} finally {
  await rm(scratch, { recursive: true });
}
const { outputFiles } = await build({
  absWorkingDir: here, entryPoints: ["src/index.ts"], bundle: true, minify: true, write: false, format: "esm", target: "es2022", charset: "utf8",
});
files.set("index.js", Buffer.from(outputFiles[0].contents));

/** What the sources were when they were built: lets a test without this toolchain see that somebody forgot to build. */
async function digestOfSources() {
  const paths = ["build.mjs", "package-lock.json", "package.json", "tsconfig.json"];
  for (const folder of ["src", "recipes"]) for (const name of await readdir(join(here, folder))) paths.push(`${folder}/${name}`);
  const digest = createHash("sha256");
  for (const path of paths.sort()) digest.update(path + "\0").update(createHash("sha256").update(await readFile(join(here, path))).digest());
  return digest.digest("hex") + "\n";
}

const out = join(here, "dist");
await mkdir(out, { recursive: true });
if (process.argv.includes("--check")) {
  const changed = [];
  for (const [name, bytes] of files) if (!(await readFile(join(out, name)).catch(() => Buffer.alloc(0))).equals(bytes)) changed.push(name);
  if (changed.length) console.error(`not what the sources give: ${changed.join(", ")}; run npm run build`);
  process.exit(changed.length ? 1 : 0);
}
for (const [name, bytes] of files) await writeFile(join(out, name), bytes);
await writeFile(join(here, "built.sha256"), await digestOfSources());
console.log(`index.js ${files.get("index.js").length} ${gzipSync(files.get("index.js"), { level: 9 }).length} gzip`);
