// Opens pages in Chromium and prints, as JSON, what each asked of the network, what it logged, what axe-core finds, and
// whether it is wider than its window. Arguments: the browser, then files. Run from a folder with node_modules.
// The first file is held against axe-core in every view, the others in the first view: it takes its time.
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";
import { join } from "node:path";

const require = createRequire(join(process.cwd(), "here.js"));
const { chromium } = require("playwright-core");
const axe = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");

const VIEWS = {
  light: { viewport: { width: 1280, height: 900 }, colorScheme: "light" },
  dark: { viewport: { width: 1280, height: 900 }, colorScheme: "dark" },
  phone: { viewport: { width: 375, height: 800 }, colorScheme: "light", isMobile: true, deviceScaleFactor: 2 },
  "phone, dark": { viewport: { width: 320, height: 640 }, colorScheme: "dark", isMobile: true },
};

const [browser, ...files] = process.argv.slice(2);
const running = await chromium.launch({ executablePath: browser, args: ["--no-sandbox"] });
const told = [];
for (const file of files) {
  for (const [view, options] of Object.entries(VIEWS)) {
    const context = await running.newContext(options);
    const page = await context.newPage();
    const requests = [], logged = [];
    page.on("request", (request) => requests.push(request.url()));
    page.on("console", (message) => logged.push(message.text()));
    await page.goto(`file://${file}`);
    await page.evaluate(() => document.querySelectorAll("details").forEach((each) => (each.open = true)));
    let found = null;
    if (file === files[0] || view === "light") {
      await page.evaluate(axe);
      found = await page.evaluate(() => axe.run(document, { resultTypes: ["violations"] }));
    }
    const wider = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
    const cut = await page.evaluate(() =>
      [...document.querySelectorAll("table.compare, table.buckets, table.reasons")]
        .filter((each) => each.scrollWidth > each.parentElement.clientWidth).map((each) => each.caption.innerText));
    const shown = await page.evaluate(() =>
      [...document.querySelectorAll("svg.chart")].filter((each) => each.getBoundingClientRect().width > 0).length);
    told.push({
      file, view, requests, logged, wider, cut, shown,
      violations: found && found.violations.map((each) => ({
        id: each.id, impact: each.impact, at: each.nodes.slice(0, 3).map((node) => node.html.slice(0, 200)),
      })),
    });
    await context.close();
  }
}
await running.close();
console.log(JSON.stringify(told));
