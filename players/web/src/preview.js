// Small pictures for whoever seeks: the multivariant playlist says where they are (EXT-X-IMAGE-STREAM-INF), a file of
// cues beside them which part of which sheet stands for which time. A film without any is no fault.

const wideEnough = 240;

// The URL of the cues, or nothing.
export function cuesUrl(playlist, url) {
  const streams = [...playlist.matchAll(/^#EXT-X-IMAGE-STREAM-INF:(.*)$/gm)].map(([, attributes]) => ({
    width: Number(/RESOLUTION=(\d+)x/.exec(attributes)?.[1] ?? 0), uri: /URI="([^"]+)"/.exec(attributes)?.[1] }))
    .filter(({ uri }) => uri).sort((a, b) => a.width - b.width);
  const stream = streams.find(({ width }) => width >= wideEnough) ?? streams.at(-1);
  return stream ? new URL("thumbnails.vtt", new URL(stream.uri, url)).href : null;
}

const seconds = (text) => text.split(":").reduce((sum, part) => sum * 60 + Number(part), 0);

export function parseCues(text, url) {
  return [...text.matchAll(/^(\S+) --> (\S+)\n(\S+)#xywh=(\d+),(\d+),(\d+),(\d+)$/gm)].map(([, from, to, file, x, y, width, height]) => ({
    from: seconds(from), to: seconds(to), url: new URL(file, url).href, x: +x, y: +y, width: +width, height: +height }));
}

export class Preview {
  cues = [];

  // `asked`: what a URL is called now; tokens change while a film plays.
  async load(url, asked) {
    this.asked = asked;
    this.cues = [];
    try {
      const master = await fetch(asked(url));
      const cues = master.ok ? cuesUrl(await master.text(), url) : null;
      const answer = cues ? await fetch(asked(cues)) : null;
      if (answer?.ok) this.cues = parseCues(await answer.text(), cues);
    } catch {
      // The film plays without them.
    }
  }

  // The picture of this time as CSS, or nothing.
  at(time) {
    let [low, high] = [0, this.cues.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.cues[middle].to <= time) low = middle + 1;
      else high = middle;
    }
    const cue = this.cues[Math.min(low, this.cues.length - 1)];
    return cue && { width: cue.width, height: cue.height, image: `url("${this.asked(cue.url)}")`, position: `-${cue.x}px -${cue.y}px` };
  }
}
