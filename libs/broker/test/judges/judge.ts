/** What became of a case on one broker. */
export interface Verdict {
  case: string;
  outcome: 'passed' | 'failed' | 'skipped';
  /** Of a case that did not pass: what the judge said. */
  why?: string;
}

/** A broker under judgement. */
export interface Subject {
  name: 'tickfold' | 'kafka';
  bootstrap: string;
  /** For what a judge writes about this broker. */
  folder: string;
}

/** A case, or several that a judge runs in one go. */
export interface Hearing {
  title: string;
  run(subject: Subject): Promise<Verdict[]>;
}

/** A client, or a suite of tests, that nobody here wrote. */
export interface Judge {
  /** As `--only` takes it. */
  name: string;
  /** For the report: the published package with its version. */
  origin: string;
  /** Fetches and builds what it needs, unless that is there. @throws Error that says what is missing and the mend */
  prepare(): Promise<void>;
  hearings(): Promise<Hearing[]>;
}
