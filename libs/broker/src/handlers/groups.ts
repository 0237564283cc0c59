import { apis, coordinatorTypes, errorCodes, type ResponseOf } from '@tickfold/kafka-protocol';
import type { LogEngine } from '@tickfold/log-engine';
import { authorizedOperations } from '../authorized-operations.ts';
import { kafkaErrorOf } from '../engine-errors.ts';
import type { GroupCoordinator } from '../groups/coordinator.ts';
import { NODE_ID } from '../options.ts';
import { type Route, route } from '../route.ts';

type DescribedGroup = ResponseOf<typeof apis.describeGroups>['groups'][number];

/** Groups, and transactional ids. */
const COORDINATED_KEYS: readonly number[] = Object.values(coordinatorTypes);
const SEVERAL_KEYS_SINCE = 4;
/** From this version of JoinGroup on, a new member is given an id first and joins with it. */
const ID_REQUIRED_SINCE = 4;
/** ... and a leader can be told that nothing is to be divided again. */
const SKIPPED_ASSIGNMENT_SINCE = 9;
/** From this version of DescribeGroups on, a group that is not there is an error. */
const UNKNOWN_IS_ERROR_SINCE = 6;
const CONSUMER = 'consumer';
/** Groups that divide by themselves, as opposed to those of the newer protocol, in which the broker does. */
const CLASSIC = 'classic';

/** What members do in their groups. */
export function membershipRoutes(coordinator: GroupCoordinator): Route[] {
  return [
    route(apis.findCoordinator, ({ key, keys, keyType }, { version, advertisedHost, advertisedPort }) => {
      const found = COORDINATED_KEYS.includes(keyType)
        ? {
            errorCode: errorCodes.NONE,
            errorMessage: null,
            nodeId: NODE_ID,
            host: advertisedHost,
            port: advertisedPort,
          }
        : {
            errorCode: errorCodes.INVALID_REQUEST,
            errorMessage: `nothing of key type ${keyType} has a coordinator here, only groups and transactional ids`,
            nodeId: -1,
            host: '',
            port: -1,
          };
      const asked = version < SEVERAL_KEYS_SINCE ? [key] : keys;
      return { throttleTimeMs: 0, ...found, coordinators: asked.map((each) => ({ key: each, ...found })) };
    }),

    route(apis.joinGroup, async ({ groupId, ...request }, { version, clientId, clientHost }) => {
      const { sessionTimeoutMs, rebalanceTimeoutMs } = request;
      const answer = await coordinator.join(groupId, {
        ...request,
        rebalanceTimeoutMs: rebalanceTimeoutMs < 0 ? sessionTimeoutMs : rebalanceTimeoutMs,
        // A copy: what came in is a view of a whole request, and stays as long as the member.
        protocols: request.protocols.map(({ name, metadata }) => ({ name, metadata: Buffer.from(metadata) })),
        clientId,
        clientHost,
        idIsRequired: version >= ID_REQUIRED_SINCE,
        canSkipAssignment: version >= SKIPPED_ASSIGNMENT_SINCE,
      });
      const protocolType = answer.errorCode === errorCodes.NONE ? request.protocolType : null;
      return { throttleTimeMs: 0, ...answer, protocolType };
    }),

    route(apis.syncGroup, async ({ groupId, assignments, protocolType, protocolName, ...sender }) => {
      const parts = new Map(assignments.map(({ memberId, assignment }) => [memberId, assignment]));
      const answer = await coordinator.sync(groupId, { ...sender, protocolType, protocolName }, parts);
      return { throttleTimeMs: 0, ...answer };
    }),

    route(apis.heartbeat, ({ groupId, ...sender }) => ({
      throttleTimeMs: 0,
      errorCode: coordinator.heartbeat(groupId, sender),
    })),

    route(apis.leaveGroup, ({ groupId, memberId, members }, { version }) => {
      if (version < 3) return { throttleTimeMs: 0, errorCode: coordinator.leave(groupId, memberId, null), members: [] };
      const left = members.map((member) => ({
        memberId: member.memberId,
        groupInstanceId: member.groupInstanceId,
        errorCode: coordinator.leave(groupId, member.memberId, member.groupInstanceId),
      }));
      return { throttleTimeMs: 0, errorCode: errorCodes.NONE, members: left };
    }),
  ];
}

/** What tools ask about groups. A group that only has offsets is there too, and empty. */
export function groupAdminRoutes(engine: LogEngine, coordinator: GroupCoordinator): Route[] {
  const hasOffsets = (groupId: string): boolean => engine.committedOffsets(groupId).length > 0;

  const describe = (groupId: string, version: number, asksForOperations: boolean): DescribedGroup => {
    const group = coordinator.view(groupId);
    const common = {
      errorCode: errorCodes.NONE,
      errorMessage: null,
      groupId,
      protocolType: group?.protocolType ?? '',
      protocolData: group?.protocolName ?? '',
      authorizedOperations: authorizedOperations('group', asksForOperations),
    };
    if (group === undefined) {
      try {
        if (hasOffsets(groupId)) return { ...common, state: 'Empty', members: [] };
        const dead = { ...common, state: 'Dead', members: [] };
        if (version < UNKNOWN_IS_ERROR_SINCE) return dead;
        return { ...dead, errorCode: errorCodes.GROUP_ID_NOT_FOUND, errorMessage: `there is no group '${groupId}'` };
      } catch (error) {
        return { ...common, errorCode: kafkaErrorOf(error).errorCode, state: 'Dead', members: [] };
      }
    }
    return {
      ...common,
      state: group.state,
      members: group.members.map((member) => ({
        memberId: member.id,
        groupInstanceId: member.instanceId,
        clientId: member.clientId,
        clientHost: member.clientHost,
        metadata: member.metadataFor(group.protocolName),
        assignment: member.assignment,
      })),
    };
  };

  const remove = async (groupId: string): Promise<{ groupId: string; errorCode: number }> => {
    try {
      if (coordinator.view(groupId) === undefined && !hasOffsets(groupId)) {
        return { groupId, errorCode: errorCodes.GROUP_ID_NOT_FOUND };
      }
      const errorCode = coordinator.delete(groupId);
      if (errorCode !== errorCodes.NONE || !hasOffsets(groupId)) return { groupId, errorCode };
      await engine.deleteGroupOffsets(groupId);
      return { groupId, errorCode };
    } catch (error) {
      return { groupId, errorCode: kafkaErrorOf(error).errorCode };
    }
  };

  return [
    route(apis.describeGroups, ({ groups, includeAuthorizedOperations }, { version }) => ({
      throttleTimeMs: 0,
      groups: groups.map((groupId) => describe(groupId, version, includeAuthorizedOperations)),
    })),

    route(apis.listGroups, ({ states, types }) => {
      const ids = new Set([...coordinator.groupIds(), ...engine.groupsWithOffsets()]);
      const groups = [...ids].map((groupId) => {
        const group = coordinator.view(groupId);
        const protocolType = group?.protocolType ?? CONSUMER;
        return { groupId, protocolType, state: group?.state ?? 'Empty', type: CLASSIC };
      });
      const isAskedFor = ({ state, type }: { state: string; type: string }) =>
        isAmong(state, states) && isAmong(type, types);
      return { throttleTimeMs: 0, errorCode: errorCodes.NONE, groups: groups.filter(isAskedFor) };
    }),

    route(apis.deleteGroups, async ({ groups }) => ({
      throttleTimeMs: 0,
      results: await Promise.all(groups.map(remove)),
    })),
  ];
}

/** Whether a filter lets a value through; an empty one lets all. */
function isAmong(value: string, filter: readonly string[]): boolean {
  return filter.length === 0 || filter.some((each) => each.toLowerCase() === value.toLowerCase());
}
