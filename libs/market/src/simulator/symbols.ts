import { Random } from './random.ts';

/** One simulated stock: what stays the same over all its sessions, live and historic. */
export interface SimulatedSymbol {
  symbol: string;
  /** The last level before the live session opens; history ends here. */
  openPriceE4: number;
  /** How much of the market's move it takes part in. */
  beta: number;
  /** Standard deviation of its own level over one regular session, as a fraction of the price. */
  dailyVolatility: number;
  /** Standard deviation of the mean-reverting deviation from its level, as a fraction of the price. */
  reversionAmplitude: number;
  /** Bid-ask spread, a multiple of one cent. */
  spreadE4: number;
  /** Share of all ticks, before normalising. */
  activity: number;
  /** Mean of a round-lot trade in units of 100 shares. */
  meanLots: number;
}

/**
 * Six letters: one more than any ticker listed in the United States has. So a reader sees at once that these are
 * invented, and none can be taken for a real stock.
 */
const ANIMALS = [
  ...['BADGER', 'FALCON', 'WALRUS', 'OCELOT', 'PUFFIN', 'COUGAR', 'TURTLE', 'SALMON', 'RABBIT', 'CONDOR'],
  ...['MARTEN', 'OSPREY', 'WEASEL', 'TOUCAN', 'LIZARD', 'GIBBON', 'JAGUAR', 'MAGPIE', 'DONKEY', 'SPIDER'],
  ...['FERRET', 'CURLEW', 'BEAVER', 'PARROT', 'WOMBAT', 'GANNET', 'MONKEY', 'SHRIMP', 'NUMBAT', 'PLOVER'],
  ...['POSSUM', 'MERLIN', 'BABOON', 'PIGEON', 'IMPALA', 'COYOTE', 'DUGONG', 'GOPHER', 'VERVET', 'BOBCAT'],
];

const MOST_SYMBOLS = 400;

/**
 * The first `count` made-up stocks of a seed, the most active first. A symbol's properties depend on the seed and its
 * rank only, so that the first five of forty are the five of five.
 *
 * @throws RangeError when count is not a whole number from 1 to 400
 */
export function simulatedSymbols(seed: number, count: number): SimulatedSymbol[] {
  if (!Number.isInteger(count) || count < 1 || count > MOST_SYMBOLS) {
    throw new RangeError(`${count} simulated symbols: give a whole number from 1 to ${MOST_SYMBOLS}.`);
  }
  return Array.from({ length: count }, (_, rank) => simulatedSymbol(seed, rank));
}

function simulatedSymbol(seed: number, rank: number): SimulatedSymbol {
  const random = new Random(seed, 'symbol', rank);
  const cube = random.uniform() ** 3; // many cheap stocks, few dear ones
  const openPriceE4 = Math.round(900 + cube * 45_000) * 100;
  const priceCents = openPriceE4 / 100;
  return {
    symbol: tickerOf(rank),
    openPriceE4,
    beta: 0.6 + 0.8 * random.uniform(),
    dailyVolatility: 0.006 + 0.006 * random.uniform(),
    reversionAmplitude: 0.0012 + 0.0014 * random.uniform(),
    spreadE4: 100 * Math.max(1, Math.round(priceCents * (0.0002 + 0.0003 * random.uniform()))),
    activity: 1 / (rank + 8),
    meanLots: 1 + 4 * random.uniform() + Math.min(6, 6_000 / priceCents),
  };
}

function tickerOf(rank: number): string {
  const root = ANIMALS[rank % ANIMALS.length]!;
  const round = Math.floor(rank / ANIMALS.length);
  return round === 0 ? root : `${root}.${String.fromCharCode(64 + round)}`;
}
