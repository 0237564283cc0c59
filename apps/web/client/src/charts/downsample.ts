/**
 * Largest-triangle-three-buckets (Steinarsson 2013): keeps the points that shape the line, the first and the last
 * among them, so that a chart of any length stays quick.
 */
export function downsample<Point extends object>(
  points: readonly Point[],
  limit: number,
  xOf: (point: Point) => number,
  yOf: (point: Point) => number,
): Point[] {
  if (points.length <= limit || limit < 3) return [...points];
  const kept: Point[] = [points[0]!];
  const bucketSize = (points.length - 2) / (limit - 2);
  let previous = points[0]!;
  for (let bucket = 0; bucket < limit - 2; bucket += 1) {
    const start = Math.floor(bucket * bucketSize) + 1;
    const end = Math.floor((bucket + 1) * bucketSize) + 1;
    const next = points.slice(end, Math.min(Math.floor((bucket + 2) * bucketSize) + 1, points.length));
    const nextX = mean(next, xOf);
    const nextY = mean(next, yOf);
    let largest = -1;
    let chosen = points[start]!;
    for (const point of points.slice(start, end)) {
      const area = Math.abs(
        (xOf(previous) - nextX) * (yOf(point) - yOf(previous)) - (xOf(previous) - xOf(point)) * (nextY - yOf(previous)),
      );
      if (area > largest) {
        largest = area;
        chosen = point;
      }
    }
    kept.push(chosen);
    previous = chosen;
  }
  kept.push(points.at(-1)!);
  return kept;
}

function mean<Point>(points: readonly Point[], measure: (point: Point) => number): number {
  return points.reduce((sum, point) => sum + measure(point), 0) / points.length;
}
