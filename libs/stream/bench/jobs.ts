/** What a process of this benchmark can be asked to do. */
export type Job =
  | { do: 'produce'; bootstrap: string; topic: string; records: number; acks: -1 | 1; batchBytes: number }
  | { do: 'consume'; bootstrap: string; topic: string; records: number }
  | { do: 'produce-by-kafkajs'; bootstrap: string; topic: string; records: number }
  | { do: 'copy-from'; port: number; bytes: number }
  | { do: 'copy-to'; bytes: number }
  | {
      do: 'produce-steadily';
      bootstrap: string;
      topic: string;
      recordsPerSecond: number;
      seconds: number;
      acks: -1 | 1;
    }
  | { do: 'take-latencies'; bootstrap: string; topic: string; records: number }
  | { do: 'relay-bare'; path: string; to: string }
  | { do: 'receive-bare'; path: string; bytesPerBeat: number; beats: number }
  | { do: 'send-bare'; path: string; bytesPerBeat: number; beats: number }
  | { do: 'fold'; bootstrap: string; topic: string; records: number };

/** When a job began and ended; see `nowMs`. */
export interface Span {
  startMs: number;
  endMs: number;
}
