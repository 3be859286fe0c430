const player = document.getElementById("player");
const slider = document.getElementById("step");
const button = document.getElementById("play");
const last = Number(slider.max);
const racers = [...document.querySelectorAll("polyline[data-racer]")].map((line) => ({
  line,
  halo: line.previousElementSibling,
  head: document.querySelector(`circle[data-racer="${line.dataset.racer}"]`),
  cell: document.querySelector(`td[data-racer="${line.dataset.racer}"]`),
  points: line.getAttribute("points").split(" "),
  heights: line.dataset.heights.split(" "),
}));
const cursors = [...document.querySelectorAll("line[data-from]")];
let started = null;

function show(step) {
  slider.value = step;
  document.getElementById("now").textContent = `step ${step} of ${last}`;
  for (const racer of racers) {
    const end = Math.min(step, racer.points.length - 1);
    const points = racer.points.slice(0, end + 1).join(" ");
    racer.line.setAttribute("points", points);
    racer.halo.setAttribute("points", points);
    const [x, y] = racer.points[end].split(",");
    racer.head.setAttribute("cx", x);
    racer.head.setAttribute("cy", y);
    racer.cell.textContent = racer.heights[Math.min(step, racer.heights.length - 1)].replaceAll("_", " ");
  }
  for (const cursor of cursors) {
    const x = Number(cursor.dataset.from) + (cursor.dataset.to - cursor.dataset.from) * step / last;
    cursor.setAttribute("x1", x);
    cursor.setAttribute("x2", x);
    cursor.style.visibility = step === last ? "hidden" : "visible";
  }
}

function tick(now) {
  if (started === null) return;
  const step = Math.min(last, Math.max(0, Math.floor((now - started) * last / 9000))); // a frame may be older than the click
  show(step);
  if (step === last) stop();
  else requestAnimationFrame(tick);
}

function stop() {
  started = null;
  button.textContent = Number(slider.value) === last ? "Play again" : "Play";
}

function play() {
  const from = Number(slider.value) === last ? 0 : Number(slider.value);
  started = performance.now() - from * 9000 / last;
  button.textContent = "Pause";
  requestAnimationFrame(tick);
}

player.hidden = false;
button.addEventListener("click", () => { if (started === null) play(); else stop(); });
slider.addEventListener("input", () => { stop(); show(Number(slider.value)); stop(); });
if (!matchMedia("(prefers-reduced-motion: reduce)").matches) play();
