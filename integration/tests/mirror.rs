//! Two datacenters joined: replicas that are the same bytes, through crashes, cuts and slow disks; merged topics whose offsets
//! translate exactly; groups that move without reading again; peers that are refused.

mod mirror {
    mod certificates;
    mod crash;
    mod failover;
    mod load;
    mod merged;
    mod network;
    mod read_only;
    mod replica;
    mod resume;
    mod slow_target;
}
