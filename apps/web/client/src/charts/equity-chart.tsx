import { memo, useMemo } from 'react';
import { CartesianGrid, Line, LineChart, ReferenceLine, ResponsiveContainer, Tooltip, XAxis, YAxis } from 'recharts';
import { gain, minuteTime, wholeDollars, type Zone, zoneName } from '../format.ts';
import { timeTicks, valueTicks } from './axis-ticks.ts';
import type { EquityRow } from './equity-rows.ts';
import { useTheme } from './theme.ts';

/** Lines are told apart by dashes as well as by colour. */
export const DASHES = ['', '6 3', '2 3'] as const;

const MAX_TIMES = 10;
const MAX_VALUES = 7;

const EquityChart = memo(function EquityChart({
  rows,
  models,
  zone,
  label,
}: {
  rows: EquityRow[];
  models: readonly string[];
  zone: Zone;
  label: string;
}) {
  const theme = useTheme();
  const colours = [theme.first, theme.second, theme.muted];
  const lastMs = rows.at(-1)?.minuteMs ?? 0;
  const times = useMemo(() => timeTicks(rows[0]?.minuteMs ?? 0, lastMs, MAX_TIMES), [rows, lastMs]);
  const values = useMemo(() => {
    const all = rows.flatMap((row) => models.map((model) => row[model] ?? 0));
    return valueTicks(Math.min(0, ...all), Math.max(0, ...all), MAX_VALUES);
  }, [rows, models]);
  const axis = { stroke: theme.line, tick: { fill: theme.muted, fontSize: 11 }, tickLine: false };
  return (
    <figure className="equity-place">
      <ResponsiveContainer width="100%" height="100%" initialDimension={{ width: 480, height: 240 }}>
        <LineChart data={rows} margin={{ top: 8, right: 22, bottom: 0, left: 0 }} accessibilityLayer={false}>
          <CartesianGrid stroke={theme.line} vertical={false} />
          <XAxis
            {...axis}
            dataKey="minuteMs"
            type="number"
            scale="time"
            domain={['dataMin', 'dataMax']}
            tickFormatter={(timeMs: number) => minuteTime(timeMs, zone)}
            ticks={times}
            interval="equidistantPreserveStart"
            minTickGap={24}
          />
          <YAxis
            {...axis}
            width={56}
            tickFormatter={(usd: number) => wholeDollars(usd)}
            ticks={values}
            domain={[values[0]!, values.at(-1)!]}
            interval={0}
          />
          <ReferenceLine y={0} stroke={theme.muted} strokeDasharray="2 4" />
          <Tooltip
            isAnimationActive={false}
            contentStyle={{
              background: theme.panel,
              border: `1px solid ${theme.line}`,
              borderRadius: 6,
              fontSize: 12,
              color: theme.text,
            }}
            labelFormatter={(timeMs) => `${minuteTime(Number(timeMs), zone)} ${zoneName(lastMs, zone)}`}
            formatter={(usd) => `${gain(Number(usd) * 10_000)} USD`}
          />
          {models.map((model, index) => (
            <Line
              key={model}
              dataKey={model}
              name={model}
              type="linear"
              dot={false}
              strokeWidth={1.75}
              stroke={colours[index] ?? theme.muted}
              strokeDasharray={DASHES[index] ?? DASHES[2]}
              isAnimationActive={false}
              connectNulls
            />
          ))}
        </LineChart>
      </ResponsiveContainer>
      <figcaption className="visually-hidden">{label}</figcaption>
    </figure>
  );
});

export default EquityChart;
