/**
 * Builds the banner, the islands, the style sheets and the fonts into sayso/server/static, each file named by the hash of its content,
 * and writes manifest.json. Deterministic: the same sources and the pinned esbuild give the same bytes, on any machine.
 */
import { createHash } from "node:crypto";
import { readFile, readdir, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { build, transform } from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));
const out = join(here, "../sayso/server/static");
const fontsource = join(here, "node_modules/@fontsource-variable");

const FONTS = {
  "inter.woff2": join(here, "fonts/inter.woff2"),
  "source-serif-4.woff2": join(here, "fonts/source-serif-4.woff2"),
  "inter-licence.txt": join(fontsource, "inter/LICENSE"),
  "source-serif-4-licence.txt": join(fontsource, "source-serif-4/LICENSE"),
};

/** Properties that only the banner's own code reads: they need no names. */
const OWN = /^(submission|known|leave|confirm|rest|place|decide|grant|may|drop|first|over|notes|settled)$/;
/** What they are called instead: alike in the two files of the banner, which hand each other such things. */
const short = {};

const common = { absWorkingDir: here, bundle: true, minify: true, write: false, target: ["es2022", "safari17"], charset: "utf8", legalComments: "none" };

/** A style sheet imported from a script is its minified text (the banner hands it to a constructable sheet). */
const styleAsText = {
  name: "style-as-text",
  setup(builder) {
    builder.onLoad({ filter: /banner[\\/]\w+\.css$/ }, async ({ path }) => {
      const { code } = await transform(await readFile(path, "utf8"), { loader: "css", minify: true });
      // esbuild leaves the spaces in the value of a custom property, which say nothing there, and the names of our own.
      const text = code.trim().replace(/(--[\w-]+): /g, "$1:").replaceAll(", ", ",").replace(/--(?!sayso)(\w)\w*/g, "--$1");
      return { contents: `export default ${JSON.stringify(text)}`, loader: "js" };
    });
  },
};

async function script(entry, options = {}) {
  const result = await build({ ...common, entryPoints: [entry], format: "iife", plugins: [styleAsText], ...options });
  Object.assign(short, result.mangleCache);
  return Buffer.from(result.outputFiles[0].contents);
}

async function sheet(entry, names) {
  const result = await build({ ...common, entryPoints: [entry], external: ["asset:*"] });
  const text = result.outputFiles[0].text.replace(/asset:([\w.-]+)/g, (_, name) => names[name]);
  return Buffer.from(text);
}

const manifest = {};
const names = {};
const files = [];

function keep(name, bytes) {
  const sha256 = createHash("sha256").update(bytes).digest("hex");
  const [, stem, ending] = /^(.+)(\.\w+)$/.exec(name);
  const file = `${stem}.${sha256.slice(0, 10)}${ending}`;
  names[name] = file;
  files.push([file, bytes]);
  manifest[name] = { file, sha256, bytes: bytes.length, gzip: gzipSync(bytes, { level: 9 }).length };
}

for (const [name, path] of Object.entries(FONTS)) keep(name, await readFile(path));
for (const name of ["mark.svg"]) keep(name, await readFile(join(here, "images", name)));
keep("site.css", await sheet("css/site.css", names));
keep("shop.css", await sheet("css/shop.css", names));
keep("site.js", await script("islands/main.ts"));
keep("demo-statistics.js", await script("islands/demo-statistics.ts"));
keep("demo-adverts.js", await script("islands/demo-adverts.ts"));
// Without "use strict", which a banner has no room for and the type check no need of. The word at its head has Chromium compile all of it beside
// the page, while it comes, and not on the page's own thread when it runs; others read a remark.
keep("banner.js", await script("banner/main.ts", { tsconfigRaw: {}, mangleProps: OWN, mangleCache: short, banner: { js: "//# allFunctionsCalledOnLoad" } }));
keep("embed.js", await script("embed/main.ts"));
keep("hand-over.js", await script("banner/hand-over.ts", { format: "esm", mangleProps: OWN, mangleCache: short }));

/** What the sources were when they were built: lets a test without this toolchain see that somebody forgot to build. */
async function digestOfSources() {
  const paths = ["build.mjs", "package-lock.json"];
  for (const folder of ["banner", "css", "embed", "fonts", "images", "islands"])
    for (const entry of await readdir(join(here, folder), { recursive: true, withFileTypes: true }))
      if (entry.isFile()) paths.push(join(entry.parentPath ?? entry.path, entry.name).slice(here.length + 1).replaceAll("\\", "/"));
  const digest = createHash("sha256");
  for (const path of paths.sort()) digest.update(path + "\0").update(createHash("sha256").update(await readFile(join(here, path))).digest());
  return digest.digest("hex") + "\n";
}

/** `--check`: compare with what is committed instead of writing. */
async function differences(wanted) {
  const found = await readdir(out);
  const changed = [];
  for (const [file, bytes] of wanted) if (!found.includes(file) || !(await readFile(join(out, file))).equals(bytes)) changed.push(file);
  return [...changed, ...found.filter((file) => !wanted.some(([name]) => name === file))];
}

const sorted = Object.fromEntries(Object.entries(manifest).sort(([a], [b]) => (a < b ? -1 : 1)));
files.push(["manifest.json", Buffer.from(JSON.stringify(sorted, null, 2) + "\n")]);
if (process.argv.includes("--check")) {
  const changed = await differences(files);
  if (changed.length) console.error(`not what the sources give: ${changed.join(", ")}; run npm run build`);
  process.exit(changed.length ? 1 : 0);
}
await writeFile(join(here, "built.sha256"), await digestOfSources());
for (const old of await readdir(out)) await rm(join(out, old));
for (const [file, bytes] of files) await writeFile(join(out, file), bytes);
for (const [name, { bytes, gzip }] of Object.entries(sorted)) console.log(`${name.padEnd(28)} ${String(bytes).padStart(7)} ${String(gzip).padStart(7)} gzip`);
