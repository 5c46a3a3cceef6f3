// Public, as conformances of public types are.
public import ArgumentParser
public import Episodic

extension Episode.Status: ExpressibleByArgument {}
extension RecallMode: ExpressibleByArgument {}
extension Episode.ExistingPolicy: ExpressibleByArgument {}
