//! The `bowline` program as a person or a script uses it.

#[cfg(test)]
mod black_hole;
#[cfg(test)]
mod browser;
#[cfg(test)]
mod check;
#[cfg(test)]
mod client;
#[cfg(test)]
mod connect;
#[cfg(test)]
mod connect_goals;
#[cfg(test)]
mod connect_output;
#[cfg(test)]
mod connect_phases;
#[cfg(test)]
mod connect_reconnect;
#[cfg(test)]
mod connect_stop;
#[cfg(test)]
mod connectors;
#[cfg(test)]
mod contract;
#[cfg(test)]
mod device;
#[cfg(test)]
mod echo;
#[cfg(test)]
mod fanout;
#[cfg(test)]
mod generate;
#[cfg(test)]
mod help;
#[cfg(test)]
mod package;
#[cfg(test)]
mod readme;
#[cfg(test)]
mod replay;
#[cfg(test)]
mod run;
#[cfg(test)]
mod serve;
#[cfg(test)]
mod server;
#[cfg(test)]
mod set;
#[cfg(test)]
mod simulate;
#[cfg(test)]
mod stop;
#[cfg(test)]
mod support;
#[cfg(test)]
mod terminal;
#[cfg(test)]
mod tls;
#[cfg(test)]
mod tools;
#[cfg(test)]
mod use_cases;
