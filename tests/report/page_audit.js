// A page in, what is wrong with its layout out: a list of sentences. Everything is taken from the boxes and computed styles of the browser.
() => {
  const problems = [];
  const root = document.documentElement;
  if (root.scrollWidth > root.clientWidth) problems.push(`the page is ${root.scrollWidth} px wide, the screen ${root.clientWidth}`);

  const short = (text) => JSON.stringify(text.trim().replace(/\s+/g, " ").slice(0, 40));
  const clips = (style) => [style.overflowX, style.overflowY].some((how) => how !== "visible");
  const cut = (rect, by) => ({
    left: Math.max(rect.left, by.left), right: Math.min(rect.right, by.right), top: Math.max(rect.top, by.top), bottom: Math.min(rect.bottom, by.bottom),
  });
  const empty = (rect) => rect.right - rect.left < 1 || rect.bottom - rect.top < 1;

  // Each piece of text: a line of a text node, or an SVG label.
  const pieces = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const element = node.parentElement;
    if (!node.data.trim() || ["SCRIPT", "STYLE", "NOSCRIPT", "TITLE", "OPTION"].includes(element.tagName.toUpperCase())) continue;
    if (!element.checkVisibility({ opacityProperty: true, visibilityProperty: true }) || element.closest("[aria-hidden=true], .modebar, .hoverlayer")) continue;
    const range = document.createRange();
    range.selectNodeContents(node);
    const label = element.closest("svg text");
    const rects = label ? [label.getBoundingClientRect()] : [...range.getClientRects()];
    if (label && label.textContent.trim() !== node.data.trim() && pieces.some((piece) => piece.label === label)) continue;
    for (const rect of rects) if (!empty(rect)) pieces.push({ rect, element, label, text: (label || node).textContent });
  }

  const svgEdge = 1.5; // px that the box of a label, which includes its line spacing, may stand out
  for (const piece of pieces) {
    let visible = piece.rect;
    for (let box = piece.label ? piece.label.closest("svg") : piece.element; box && box !== document.body; box = box.parentElement) {
      const style = getComputedStyle(box);
      if (!clips(style) || style.display === "inline") continue;
      const frame = box.getBoundingClientRect();
      const scrolls = ["auto", "scroll"].includes(style.overflowX) && box.tagName !== "svg";
      const edge = box.tagName === "svg" ? svgEdge : 1;
      const outside = piece.rect.right > frame.right + edge || piece.rect.left < frame.left - edge;
      const beneath = piece.rect.top < frame.top - 3 || piece.rect.bottom > frame.bottom + 3;
      if (!scrolls && (outside || beneath)) problems.push(`clipped: ${short(piece.text)} by ${box.tagName}.${box.getAttribute("class") || ""}`);
      visible = cut(visible, frame);
    }
    piece.visible = visible;
  }

  // Overlaps; a line's box is taller than its letters, so a fifth of its height at both sides does not count.
  const shown = pieces.filter((piece) => !empty(piece.visible)).map((piece) => {
    const { left, right, top, bottom } = piece.visible;
    const fifth = (bottom - top) / 5;
    return { ...piece, box: { left: left + 1, right: right - 1, top: top + fifth, bottom: bottom - fifth } };
  }).sort((a, b) => a.box.top - b.box.top);
  for (let i = 0; i < shown.length; i++) {
    for (let j = i + 1; j < shown.length && shown[j].box.top < shown[i].box.bottom; j++) {
      const [a, b] = [shown[i], shown[j]];
      if (a.label && a.label === b.label) continue;
      const common = cut(a.box, b.box);
      if (common.right - common.left > 1 && common.bottom - common.top > 1) problems.push(`overlap: ${short(a.text)} and ${short(b.text)}`);
    }
  }

  // Contrast, by WCAG 2.2: 4.5 for text.
  const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const parse = (colour) => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = colour;
    canvas.fillRect(0, 0, 1, 1);
    const [r, g, b, a] = canvas.getImageData(0, 0, 1, 1).data;
    return [r, g, b, a / 255];
  };
  const over = (top, under) => [0, 1, 2].map((n) => top[n] * top[3] + under[n] * (1 - top[3])).concat(1);
  const light = (colour) => {
    const [r, g, b] = colour.map((v) => v / 255).map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const canvasColour = matchMedia("(prefers-color-scheme: dark)").matches && /dark/.test(getComputedStyle(root).colorScheme) ? [18, 18, 18, 1] : [255, 255, 255, 1];
  const behind = (element) => {
    const layers = [];
    let dimmed = 1;
    for (let box = element; box; box = box.parentElement) {
      layers.push(parse(getComputedStyle(box).backgroundColor));
      dimmed *= Number(getComputedStyle(box).opacity);
    }
    return [layers.reverse().reduce((under, top) => over(top, under), canvasColour), dimmed];
  };
  const seen = new Set();
  for (const { element, label, text } of shown) {
    let [under, dimmed] = behind(label ? label.closest("svg").parentElement : element);
    const bar = label && label.matches(".bartext-inside") && label.parentElement.querySelector("path");
    if (bar) under = over(parse(getComputedStyle(bar).fill), under);
    const ink = parse(label ? getComputedStyle(element).fill : getComputedStyle(element).color);
    if (label) for (let box = label; box.tagName !== "svg"; box = box.parentElement) dimmed *= Number(getComputedStyle(box).opacity);
    const front = over([...ink.slice(0, 3), ink[3] * dimmed], under);
    const [low, high] = [light(front), light(under)].sort((a, b) => a - b);
    const ratio = (high + 0.05) / (low + 0.05);
    const key = `${front.map(Math.round)} on ${under.map(Math.round)}`;
    if (ratio < 4.5 && !seen.has(key)) {
      seen.add(key);
      problems.push(`contrast ${ratio.toFixed(2)}: ${short(text)}, ${key}`);
    }
  }
  return [...new Set(problems)];
}
