#!/usr/bin/env bash
# Apache Kafka brokers for tests: KRaft nodes on loopback, run from the jars that tests/kafka/pom.xml names.
#
#   scripts/kafka.sh prepare                  put jars, certificates, class archive and templates into the cache (once)
#   scripts/kafka.sh configure DIR [NODES]    lay out a new cluster of 1 (default) or 3 nodes in DIR, on free ports
#   scripts/kafka.sh node DIR I               become node I (exec: the caller's child is the broker); logs to DIR/nodeI/log
#   scripts/kafka.sh wait DIR I=PID...        until these nodes, started with these process ids, serve requests
#   scripts/kafka.sh addresses DIR [LISTENER] the brokers as host:port,...; unless it is said otherwise those of `plaintext`
#   scripts/kafka.sh certificates             where the files are that clients need for TLS
#   scripts/kafka.sh tool CLASS ARGS...       become one of Kafka's own tools, such as org.apache.kafka.tools.TopicCommand
#
# Listeners are `plaintext`; `sasl`, for clients that say who they are (SASL/PLAIN: ferris, hunter2; OAUTHBEARER:
# anybody); and, in clusters of one node, three with TLS: `tls`, which looks at a certificate of the client's if it
# has one; `mtls`, which wants one; and `sasl_ssl` (PLAIN, SCRAM-SHA-256, SCRAM-SHA-512: ferris, hunter2); and `oauth`
# (OAUTHBEARER: tokens that token.key has signed, of the issuer ferris-provider for the audience ferris-brokers, to be
# shown again every four seconds).
#
# `wait` fails with 3 when a port of the cluster was taken by somebody else: configure again, and start again.
# It takes at most FERRIS_START_SECONDS (60). A node that was killed is started again with `node`, on
# its old port and data.
#
# Formatting a directory, loading the classes one by one and making the coordinators' topics would take
# ten times as long as it does here (0.8 s on two idle cores, 4 s on busy ones): C1 and the serial
# collector are set, the loaded classes come from an archive, and the data directory is a copy of a
# template that has been run once. It knows no ports, so that any cluster may be a copy of it.
set -euo pipefail
SCRIPTS=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$SCRIPTS/service.sh"
POM=$SCRIPTS/../tests/kafka/pom.xml
VERSION=$(sed -n 's|.*<kafka.version>\(.*\)</kafka.version>.*|\1|p' "$POM")
# What templates and certificates are made like. A change of that needs another number here: work trees
# that want other jars or templates do not take each other's away.
LAYOUT=3
CACHE=${XDG_CACHE_HOME:-$HOME/.cache}/ferrisstreams/kafka-$VERSION-$(md5sum < "$POM" | cut -c1-8)-$LAYOUT
JVM=(-XX:TieredStopAtLevel=1 -XX:+UseSerialGC -Xshare:auto -Xms256m -Xmx512m
  "-Dlog4j2.configurationFile=file:$SCRIPTS/../tests/kafka/log4j2.properties"
  "-Dorg.apache.kafka.sasl.oauthbearer.allowed.urls=file://$CACHE/tls/jwks.json")

fail() {
  echo "kafka: $*" >&2
  exit 1
}

# ---- the cache

jars_ready() { cmp -s "$POM" "$CACHE/lib/pom.xml"; }

fetch_jars() {
  echo "kafka: fetching Apache Kafka $VERSION from Maven Central (55 MB)" >&2
  local new
  new=$(mktemp -d "$CACHE/lib.XXXXXX")
  mvn -B -q -f "$POM" dependency:copy-dependencies -DoutputDirectory="$new" >&2 || fail "Maven could not fetch the broker"
  cp "$POM" "$new/pom.xml"
  rm -rf "${CACHE:?}/lib"
  mv "$new" "$CACHE/lib"
}

class_path() { # explicit and sorted: a class archive is valid for the very path it was made with
  local jars=("$CACHE"/lib/*.jar) IFS=:
  echo "${jars[*]}"
}

archive() { # where the class archive for this JDK and these jars is kept; an empty file means that there can be none
  local java
  java=$(readlink -f "$(command -v java)") || fail "java is missing: make setup"
  echo "$CACHE/classes-$(stat -c '%n %s %Y' "$java" "$CACHE"/lib/*.jar | md5sum | cut -c1-12).jsa"
}

# ---- certificates: ca.pem signed those of the broker (127.0.0.1 alone; not localhost) and of a client (CN=ferris-client),
# whose key has the password hunter2; other-ca.pem signed nobody's. Brokers know by jwks.json what token.key has signed, and
# not what other-token.key has. With server-keystore.pem a provider of tokens may be at 127.0.0.1 too.

certificates_ready() { [[ -d $CACHE/tls ]]; }

make_key() { openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$1"; }

sign() { # DIR NAME EXTENSION: a certificate for the key DIR/NAME.key, by the authority
  openssl req -new -key "$1/$2.key" -subj "/CN=ferris-$2" -out "$1/$2.csr"
  openssl x509 -req -in "$1/$2.csr" -CA "$1/ca.pem" -CAkey "$1/ca.key" -CAcreateserial -days 3650 \
    -extfile <(echo "$3") -out "$1/$2.pem"
}

hex_to_base64url() {
  # shellcheck disable=SC2059 # the format is the bytes
  printf "$(sed 's/../\\x&/g' <<< "$1")" | base64 -w0 | tr '+/' '-_' | tr -d '='
}

make_token_keys() { # DIR
  local name modulus
  for name in token other-token; do
    openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out "$1/$name.key"
  done
  modulus=$(openssl rsa -in "$1/token.key" -noout -modulus)
  echo '{"keys":[{"kty":"RSA","use":"sig","alg":"RS256","kid":"ferris","e":"AQAB","n":"'"$(hex_to_base64url "${modulus#*=}")"'"}]}' \
    > "$1/jwks.json"
}

make_certificates() {
  command -v openssl > /dev/null || fail "openssl is missing: make setup"
  echo "kafka: making certificates for TLS (once)" >&2
  local new name
  new=$(mktemp -d "$CACHE/work.XXXXXX")
  {
    for name in ca other-ca server client; do make_key "$new/$name.key"; done
    for name in ca other-ca; do
      openssl req -x509 -new -key "$new/$name.key" -subj "/CN=ferris-$name" -days 3650 -out "$new/$name.pem"
    done
    sign "$new" server subjectAltName=IP:127.0.0.1
    sign "$new" client extendedKeyUsage=clientAuth
    cat "$new/server.key" "$new/server.pem" > "$new/server-keystore.pem"
    openssl pkcs8 -topk8 -v2 aes256 -in "$new/client.key" -passout pass:hunter2 -out "$new/client-locked.key"
    make_token_keys "$new"
  } 2> "$new/log" || { cat "$new/log" >&2; fail "certificates could not be made"; }
  rm "$new"/{ca,other-ca,client,server}.key "$new"/*.csr "$new"/*.srl "$new/server.pem" "$new/log"
  mv "$new/client-locked.key" "$new/client.key"
  mv "$new" "$CACHE/tls"
}

# ---- templates and class archive

USERS=() # those of SCRAM, who are kept with the data
for mechanism in SCRAM-SHA-256 SCRAM-SHA-512; do USERS+=(--add-scram "$mechanism=[name=ferris,password=hunter2]"); done

format() { # formats a directory for each node of a cluster: TARGET NODES
  local target=$1 nodes=$2 id i
  id=$(head -c 16 /dev/urandom | base64 | tr '+/' 'ab' | cut -c1-22)
  for ((i = 1; i <= nodes; i++)); do
    mkdir -p "$target/node$i"
    properties "$target" "$i" "$nodes" "$PORTS_FIRST" > "$target/node$i/server.properties"
    java "${JVM[@]}" -cp "$(class_path)" kafka.tools.StorageTool format \
      -t "K${id:1}" -c "$target/node$i/server.properties" "${USERS[@]}" > "$target/log" 2>&1 || { cat "$target/log" >&2; fail "formatting failed"; }
  done
}

# Formats one node, runs it once until it has made the topics of its coordinators, and stops it. The
# classes that it loaded become the archive, and the directory that it leaves becomes the template.
make_single() {
  echo "kafka: making the class archive and the template of one broker (once, about 20 s)" >&2
  local work archive pid
  archive=$(archive)
  work=$(mktemp -d "$CACHE/work.XXXXXX")
  format "$work" 1
  configure "$work" 1
  ARCHIVE_FLAG=-XX:ArchiveClassesAtExit=$work/classes.jsa "${BASH_SOURCE[0]}" node "$work" 1 &
  pid=$!
  await "$work" "1=$pid" || { kill -KILL $pid 2>/dev/null || true; rm -rf "$work"; fail "the first start failed"; }
  kill -TERM $pid
  wait $pid || true
  [[ -s $work/classes.jsa ]] || : > "$work/classes.jsa"
  rm -rf "$CACHE"/classes-*.jsa "$CACHE/template-1"
  mv "$work/node1/data" "$work/template" && mkdir "$work/keep" && mv "$work/template" "$work/keep/node1"
  mv "$work/keep" "$CACHE/template-1"
  mv "$work/classes.jsa" "$archive"
  rm -rf "$work"
}

make_triple() {
  echo "kafka: formatting the template of three brokers (once, about 5 s)" >&2
  local work i
  work=$(mktemp -d "$CACHE/work.XXXXXX")
  format "$work" 3
  mkdir "$work/keep"
  for i in 1 2 3; do mv "$work/node$i/data" "$work/keep/node$i"; done
  mv "$work/keep" "$CACHE/template-3"
  rm -rf "$work"
}

prepared() { jars_ready && certificates_ready && [[ -e $(archive) && -d $CACHE/template-1 ]]; }

prepare() {
  prepared && return
  mkdir -p "$CACHE"
  exec {gate}>"$CACHE/.lock"
  flock "$gate" # others may be at it
  rm -rf "$CACHE"/work.* "$CACHE"/lib.*
  jars_ready || fetch_jars
  certificates_ready || make_certificates
  prepared || make_single
  exec {gate}>&-
}

# ---- a cluster

listeners() { # NODES: what each has a port for, one behind the other; three would need more neighbours than there are
  if (($1 > 1)); then echo "plaintext controller sasl"; else echo "plaintext controller sasl tls mtls sasl_ssl oauth"; fi
}

port_of() { # LISTENER I NODES PORT, that of the first
  local listener place=0 known
  read -ra known < <(listeners "$3")
  for listener in "${known[@]}"; do
    [[ $listener != "$1" ]] || { echo $(($4 + ${#known[@]} * ($2 - 1) + place)); return; }
    place=$((place + 1))
  done
  fail "no listener $1 in a cluster of $3"
}

tls_properties() {
  cat <<PROPERTIES
ssl.keystore.type=PEM
ssl.keystore.location=$CACHE/tls/server-keystore.pem
ssl.truststore.type=PEM
ssl.truststore.location=$CACHE/tls/ca.pem
listener.name.tls.ssl.client.auth=requested
listener.name.mtls.ssl.client.auth=required
listener.name.sasl_ssl.sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-256,SCRAM-SHA-512
listener.name.sasl_ssl.plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required user_ferris="hunter2";
listener.name.sasl_ssl.scram-sha-256.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required;
listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required;
PROPERTIES
}

oauth_properties() {
  cat <<PROPERTIES
listener.name.oauth.sasl.enabled.mechanisms=OAUTHBEARER
listener.name.oauth.oauthbearer.sasl.jaas.config=org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule required;
listener.name.oauth.oauthbearer.sasl.server.callback.handler.class=org.apache.kafka.common.security.oauthbearer.OAuthBearerValidatorCallbackHandler
listener.name.oauth.oauthbearer.connections.max.reauth.ms=4000

# With the mechanism before them these would count for nothing, and any token would do.
listener.name.oauth.sasl.oauthbearer.jwt.validator.class=org.apache.kafka.common.security.oauthbearer.BrokerJwtValidator
listener.name.oauth.sasl.oauthbearer.jwks.endpoint.url=file://$CACHE/tls/jwks.json
listener.name.oauth.sasl.oauthbearer.expected.issuer=ferris-provider
listener.name.oauth.sasl.oauthbearer.expected.audience=ferris-brokers
listener.name.oauth.sasl.oauthbearer.clock.skew.seconds=0
PROPERTIES
}

properties() { # server.properties of node I: DIR I NODES PORT
  local dir=$1 i=$2 nodes=$3 port=$4 copies=$(($3 < 3 ? 1 : 3)) in_sync=$(($3 < 3 ? 1 : 2)) voters="" bound="" n name
  for ((n = 1; n <= nodes; n++)); do voters+="${voters:+,}$n@127.0.0.1:$(port_of controller "$n" "$nodes" "$port")"; done
  for name in $(listeners "$nodes"); do bound+="${bound:+,}${name^^}://127.0.0.1:$(port_of "$name" "$i" "$nodes" "$port")"; done
  cat <<PROPERTIES
process.roles=broker,controller
node.id=$i
controller.quorum.voters=$voters
controller.listener.names=CONTROLLER
listeners=$bound
advertised.listeners=$(tr ',' '\n' <<< "$bound" | grep -v CONTROLLER | paste -sd,)
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,SASL:SASL_PLAINTEXT,TLS:SSL,MTLS:SSL,SASL_SSL:SASL_SSL,OAUTH:SASL_PLAINTEXT
inter.broker.listener.name=PLAINTEXT
listener.name.sasl.sasl.enabled.mechanisms=PLAIN,OAUTHBEARER
listener.name.sasl.plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required user_ferris="hunter2";
listener.name.sasl.oauthbearer.sasl.jaas.config=org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule required unsecuredLoginStringClaim_sub="broker";
$( ((nodes > 1)) || { tls_properties; oauth_properties; })
log.dirs=$dir/node$i/data

# Who says nothing of who they are may do everything; others what no rule is about, or what one allows.
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
super.users=User:ANONYMOUS
allow.everyone.if.no.acl.found=true

# A topic that nobody created is an error, which tests want to see.
auto.create.topics.enable=false
default.replication.factor=$copies
min.insync.replicas=$in_sync
offsets.topic.replication.factor=$copies
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=$copies
transaction.state.log.min.isr=$in_sync
transaction.state.log.num.partitions=4
share.coordinator.state.topic.replication.factor=$copies
share.coordinator.state.topic.min.isr=$in_sync

# Records of tests bear any time: a topic keeps and takes them all, unless it says otherwise.
log.retention.ms=-1
log.message.timestamp.after.max.ms=9223372036854775807

# What takes minutes in production takes seconds here: joins, expiry, compaction, deletion.
group.initial.rebalance.delay.ms=0
group.consumer.min.heartbeat.interval.ms=500
group.consumer.min.session.timeout.ms=6000
transaction.abort.timed.out.transaction.cleanup.interval.ms=1000
log.initial.task.delay.ms=500
log.retention.check.interval.ms=1000
log.cleaner.backoff.ms=1000
log.segment.delete.delay.ms=1000
quota.window.num=2
broker.session.timeout.ms=3000
broker.heartbeat.interval.ms=250
controller.quorum.election.timeout.ms=500
controller.quorum.fetch.timeout.ms=1500

# Small: a machine of two cores runs several of these.
num.network.threads=2
num.io.threads=4
log.cleaner.dedupe.buffer.size=20971520
log.index.size.max.bytes=1048576
PROPERTIES
}

configure() { # DIR NODES
  local dir=$1 nodes=$2 port i
  port=$(take_ports $(($(listeners "$nodes" | wc -w) * nodes)))
  for ((i = 1; i <= nodes; i++)); do
    mkdir -p "$dir/node$i"
    properties "$dir" "$i" "$nodes" "$port" > "$dir/node$i/server.properties"
  done
  echo "$nodes $port" > "$dir/cluster"
}

new_cluster() { # DIR NODES
  local dir=$1 nodes=$2 i
  [[ $nodes == 1 || $nodes == 3 ]] || fail "a cluster has 1 or 3 nodes, not $nodes"
  prepare
  if [[ $nodes == 3 && ! -d $CACHE/template-3 ]]; then
    ( exec {gate}>"$CACHE/.lock"; flock "$gate"; [[ -d $CACHE/template-3 ]] || make_triple )
  fi
  for ((i = 1; i <= nodes; i++)); do
    mkdir -p "$dir/node$i"
    rm -rf "$dir/node$i/data"
    cp -r --sparse=always "$CACHE/template-$nodes/node$i" "$dir/node$i/data"
  done
  configure "$dir" "$nodes"
}

node() { # DIR I
  local dir=$1 i=$2 flag archive
  [[ -f $dir/node$i/server.properties ]] || fail "no node $i in $dir"
  archive=$(archive)
  flag=${ARCHIVE_FLAG:-}
  [[ -n $flag || ! -s $archive ]] || flag=-XX:SharedArchiveFile=$archive
  [[ ! -f $dir/node$i/log ]] || mv "$dir/node$i/log" "$dir/node$i/log.before"
  exec java "${JVM[@]}" ${flag:+"$flag"} -cp "$(class_path)" kafka.Kafka "$dir/node$i/server.properties" \
    > "$dir/node$i/log" 2>&1 < /dev/null
}

tool() { # CLASS ARGS...; without the log, which would stand among its answers
  local archive flag=""
  archive=$(archive)
  [[ ! -s $archive ]] || flag=-XX:SharedArchiveFile=$archive
  exec java "${JVM[@]}" ${flag:+"$flag"} -Dferris.kafka.log=off -cp "$(class_path)" "$@"
}

addresses() { # DIR LISTENER
  local nodes port i list=""
  read -r nodes port < "$1/cluster"
  for ((i = 1; i <= nodes; i++)); do list+="${list:+,}127.0.0.1:$(port_of "$2" "$i" "$nodes" "$port")"; done
  echo "$list"
}

# ---- readiness, asked in Kafka's own protocol

ask() { # sends a request, given in hex, and prints the answer in hex, or nothing: PORT REQUEST
  local port=$1 request=$2 socket length
  { exec {socket}<>"/dev/tcp/127.0.0.1/$port"; } 2>/dev/null || return 0
  request=$(printf '%08x' $((${#request} / 2)))$request
  # shellcheck disable=SC2059 # the format is the bytes
  { printf "$(sed 's/../\\x&/g' <<< "$request")" >&"$socket"; } 2>/dev/null || true
  length=$(timeout 2 head -c 4 <&"$socket" | od -An -v -tx1 | tr -d ' \n')
  [[ -z $length ]] || timeout 2 head -c $((16#$length)) <&"$socket" | od -An -v -tx1 | tr -d ' \n'
  exec {socket}>&-
}

CLIENT=00056665727269 # a string of five letters: client id, and name of a group and of a transaction

sees_brokers() { # whether the broker at PORT knows itself there and COUNT brokers in all (Metadata, version 0)
  local answer
  answer=$(ask "$1" "0003000000000001${CLIENT}00000000")
  [[ $answer == *$(printf '127.0.0.1' | od -An -tx1 | tr -d ' ')$(printf '%08x' "$1")* ]] && ((16#0${answer:8:8} >= $2))
}

has_coordinator() { # PORT KIND, 00 for groups, 01 for transactions (FindCoordinator, version 1); the first question makes its topic
  local answer
  answer=$(ask "$1" "000a000100000002$CLIENT$CLIENT$2")
  [[ ${answer:16:4} == 0000 ]]
}

await() { # DIR I=PID...
  local dir=$1 nodes first port member i pid kind
  shift
  read -r nodes first < "$dir/cluster"
  for member in "$@"; do
    i=${member%=*} pid=${member#*=} port=$(port_of plaintext "${member%=*}" "$nodes" "$first")
    patiently "kafka: node $i" "$dir/node$i/log" "$pid" sees_brokers "$port" $# || return
  done
  for kind in 00 01; do
    patiently "kafka: node $i" "$dir/node$i/log" "$pid" has_coordinator "$port" $kind || return
  done
}

case ${1:-} in
  prepare) prepare ;;
  configure) new_cluster "$(realpath -m "$2")" "${3:-1}" ;;
  node) node "$(realpath "$2")" "$3" ;;
  wait) await "$(realpath "$2")" "${@:3}" ;;
  addresses) addresses "$2" "${3:-plaintext}" ;;
  certificates) prepare && echo "$CACHE/tls" ;;
  tool) prepare && tool "${@:2}" ;;
  *) sed -n '2,/^set/ { /^#/ s/^# \{0,1\}//p }' "$0"; exit 2 ;;
esac
