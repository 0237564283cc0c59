export { type Broker, type BrokerAddress, startBroker } from './broker.ts';
export {
  type BrokerLog,
  type BrokerOptions,
  DEFAULT_GROUP_SETTINGS,
  DEFAULT_LIMITS,
  type GroupSettings,
  type Limits,
  type Listener,
} from './options.ts';
